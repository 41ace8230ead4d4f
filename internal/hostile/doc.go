// Package hostile is the proof, by attack, that a served ring keeps what it
// promises beside hostile peers, and that a named ring is not to be had by
// planting. It has tests only, for Linux, which need root: producer, honest
// consumers and attackers are processes of different users, copies of the test
// binary that are told what to do line by line (players_test.go).
//
//	go test -v -run TestAttackMatrix ./internal/hostile     the table of all answers
//	CAROUSEL_H1=10m go test -v -timeout 20m -run TestHostileConsumers ./internal/hostile
//	CAROUSEL_RACES=100000 go test -v -run TestPlantedMeanwhile ./internal/hostile
//	CAROUSEL_PIDS=10000 go test -v -timeout 1h -run TestPidsComeBack ./internal/hostile
//
// What is shown, and where:
//
//	H2  TestAttackMatrix      every attempt of attacks_*_test.go as another user, as the producer's
//	                          user (the producer dumpable and not) and as root: harm only where
//	                          the attempt's entry says so
//	H1  TestHostileConsumers  honest consumers and the producer's rate beside consumers that write
//	                          nonsense, punch holes, wake, requeue and crowd on futexes
//	H4  TestPlanted…          links, FIFOs, folders, devices and strangers' files at a ring's name
//	P1  TestPidsComeBack      a stranger with the pid of a dead producer or consumer
//
// How far trust goes:
//
//	T1  a consumer of another user changes no data, and costs others no time but its patience
//	T3  nor does one of the producer's user, if the producer is non-dumpable and has
//	    ServeConfig.Distrust; but a user can always end his own processes and unlink his files
//	T4  root, and whoever may trace the producer, can do everything
//
// (T2, hostile producers, and H3, hostile handshakes, are with the tests of package
// ring: handshake_*_test.go.)
package hostile
