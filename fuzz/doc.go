// Package fuzz holds what is fuzzed from outside, through the API that users
// have: a language of operations with a reference model, hostile memory, which
// another process may change meanwhile, and one stream over several media.
// Targets that need the inside of a package stand beside it: go test -list
// '^Fuzz' ./... shows all of them.
//
//	go test -fuzz=FuzzScript ./fuzz
//	CAROUSEL_FUZZ=1000000 go test -timeout 0 -run Fuzz ./fuzz
//
// The second makes a million inputs of the corpus, without the engine and many
// times as fast: internal/mutate says how.
//
// Seeds are in testdata/fuzz, which go test runs like other tests. The folder
// torture has what takes processes and minutes.
package fuzz
