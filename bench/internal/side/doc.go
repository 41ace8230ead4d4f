// Package side is what the processes of a measurement have in common: each is
// one side of it, started by the bench with a job in its environment, and ends
// by printing what it found. Programs of other modules take part by calling
// Main with contestants of their own.
package side
