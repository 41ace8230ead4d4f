// Package seglog keeps a stream of frames in a folder of segment files, for as
// long as there is room: unbounded, and readable again from any record on.
//
//	FIRST-EPOCH.log   a segment: preamble, then frames, each with a checksum
//	FIRST-EPOCH.idx   marks into it: sequence, offset, time
//	lock              whose life lock the one producer holds
//	state             what is known to be on the disk, and who the producer is
//	*.cut             what a recovery cut off and did not throw away
//
// FIRST is the sequence of the first record, EPOCH the number of the producer.
// A producer never appends to what another one began: it begins a segment of
// its own. A segment is complete once there is one behind it.
//
// # What survives
//
// Append returns when the kernel has the frames: they survive a kill of this
// process. Sync returns when the disk has them: they survive a power cut.
//
// After a kill, the last segment may end in a part of a frame. After a power
// cut any 4 KiB page, any file and any name that was not synced may be there
// or not. Recovery keeps the longest run of records without a hole: frames whose
// checksum fits and whose sequences follow each other, across segments whose
// epochs do not decrease. That run contains all that was synced, since before
// a sync returns everything before it has been synced, too. Where this boot is
// the one in which the log was written only the end can be in doubt; otherwise
// all that state does not say to be synced is read.
//
// Times decide which segments are old enough to be removed and where a replay
// "from a time" begins, and nothing else; the wall clock is read in wall.go
// alone. The marks are hints: one that does not lead to the frame it names is
// ignored.
package seglog
