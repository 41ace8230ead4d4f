// Package house holds the rules of this repository as tests: how files are
// formatted, where unsafe and system calls may stand, which package may import
// which, what the module may require; that what is exported is documented, that
// links and commands in documents lead somewhere and that their Go is compiled.
// It has no other code.
//
// A rule is a function from files to findings, in a file of its own, with two
// tests: that the repository keeps the rule, and that the rule can be broken.
package house
