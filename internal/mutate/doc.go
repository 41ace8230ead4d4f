// Package mutate gives a fuzz target inputs without the fuzzing engine: those
// of its corpus, changed at random. It does not see what an input reaches, so
// it finds little that the corpus is far from; in return the code runs as it is
// built for everybody, several times as often in a second, and each run can be
// had again. The engine makes the corpus; this goes on from there.
//
//	func FuzzThing(tf *testing.F) {
//		f := mutate.Of(tf)
//		f.Add([]byte("a seed"), true)
//		f.Fuzz(func(t *testing.T, b []byte, how bool) { … })
//	}
//
// By default that is what it would be without this package. With the variable
// CAROUSEL_FUZZ a plain run of the test makes as many inputs more, in equal
// shares of each entry of the corpus:
//
//	CAROUSEL_FUZZ=1000000 go test -run FuzzThing
//
// An input that fails is put into testdata, as the engine would do, and the
// seed is printed: CAROUSEL_SEED makes the same inputs again. All inputs of an
// entry have one t, so a target has to clean up before it returns, and not by
// t.Cleanup.
package mutate
