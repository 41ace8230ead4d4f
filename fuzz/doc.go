// Package fuzz holds what is fuzzed from outside, through the API that users
// have: a language of operations with a reference model, hostile memory, and
// one stream over several media. Targets that need the inside of a package
// stand beside it: go test -list '^Fuzz' ./... shows all of them.
//
//	go test -fuzz=FuzzScript ./fuzz
//
// Seeds are in testdata/fuzz, which go test runs like other tests. The folder
// torture has what takes processes and minutes.
package fuzz
