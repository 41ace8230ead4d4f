package model

// Mutant is one thing wrong with the protocol.
type Mutant uint8

// None is the protocol as it is.
const None Mutant = 0

const (
	_ Mutant = iota
	PayloadAfterCommit
	LengthAfterCommit
	CommitPlain
	NoZero
	HeadStagedOpen
	CheckpointBeforeCommit
	AbortKeepsMarks
	BatchUnbounded
	PayloadBeforeCommitWord
	CommitLoadPlain
	NoResume
	ResumeAfterHorizon
	ResumeInPlace
	PointForward
	PointTwoWords
	PointLoadPlain
	PointNotFiltered
	HorizonWithoutCredit
	HorizonUnbounded
	HorizonNotFenced
	HorizonAfterPayload
	NoSecondLook
	JoinWithoutHorizon
	GenerationFirst
	IgnoreSlot
	NoHorizonAfterPayload
	NoLoadFenceLossy
	PassedByPosition
	NoEvictedAfterPayload
	NoLoadFenceDeadline
	EvictionUntold
	EvictedGenerationFirst
	EvictionSilent
	EvictedForgotten
	CursorBeforePayload
	CommitNotFenced
	NoSleepBarrier
	WaitingNotFenced
	BellAfterLook
	WaitingAfterBell
	NoBell
	WakeWithoutJoins
	NeedsFenceUnsaid
	ModeBeforeFence
	ModeAfterDrop
	DropNotFenced
	CursorNotFenced
	NoWakeAtLook
	NoWakeAtLookOnLeave
	WakeAtNotFenced
	WakeAtTooHigh
	NoWakeAtBarrier
	NoLookAfterWakeAt
	HoldingIgnored
	NoRingOfHolders
	TakeOverSilent
	EpochAfterBells
	StateAfterEpoch
	DeathBeforeRecords
	DeathBeforeLoss
	DeathWithoutEpoch
	DeathSilent
	ConsumerDeathSilent
	CancelSilent
	EOSEpochIgnored
	CloseWithoutState
	PrivateFutex
	OldResume
	NoSlices
	NoBlindSlices
	KernelWakeNoBarrier
)

// Wrong is a mutant for people: what is wrong, which row of the ordering table
// or which rule it breaks, and where it is looked for.
type Wrong struct {
	Mutant  Mutant
	Name    string
	What    string
	Rule    string
	Weak    bool // only the weak order shows it: TSO forgives
	Configs []string
}

// Mutants are all of them. A mutant whose rule says weak lives in that memory
// order only: amd64 forgives it.
func Mutants() []Wrong {
	return []Wrong{
		{PayloadAfterCommit, "payload after commit", "the payload is written behind the commit word", "row 1", false, []string{"reliable"}},
		{LengthAfterCommit, "length after commit", "the length is written behind the commit word", "row 1", false, []string{"reliable"}},
		{CommitPlain, "commit not a release", "the first commit word is a plain store", "row 1", true, []string{"reliable"}},
		{NoZero, "no zero", "no zero behind the end of a batch", "publishing 3", false, []string{"zero"}},
		{HeadStagedOpen, "head open", "the first commit word of a batch is written when it is staged", "publishing 2", false, []string{"batch"}},
		{CheckpointBeforeCommit, "checkpoint before commit", "a checkpoint names a record that is not committed", "lossy", false, []string{"abort lossy quick", "abort lossy"}},
		{AbortKeepsMarks, "abort keeps marks", "a checkpoint of a record that was aborted", "abort", false, []string{"abort lossy quick", "abort lossy"}},
		{BatchUnbounded, "no ErrBatchFull", "a batch waits for more than the ring holds", "credit", false, []string{"batch full"}},
		{PayloadBeforeCommitWord, "payload before commit word", "the consumer reads the payload before the commit word", "row 2", false, []string{"reliable"}},
		{CommitLoadPlain, "commit word not an acquire", "the length is loaded before the commit word", "row 2", true, []string{"reliable"}},
		{NoResume, "no resume point", "the horizon rises without a resume point before it", "credit", false, []string{"kill batch quick", "restart quick", "kill batch", "restart"}},
		{ResumeAfterHorizon, "resume after horizon", "the resume point is stored behind the horizon", "row 3", false, []string{"kill batch quick", "restart quick", "kill batch", "restart"}},
		{ResumeInPlace, "one resume point", "the valid copy of the resume point is overwritten", "restart", false, []string{"kill batch quick", "kill batch"}},
		{PointForward, "point read forward", "the words of a point are read in the order in which they are written", "row 4", false, []string{"lossy quick", "join latest quick", "lossy", "points", "join latest"}},
		{PointTwoWords, "point of two words", "a point is believed without its second sequence", "row 4", false, []string{"lossy quick", "lossy", "points"}},
		{PointLoadPlain, "point loads not acquires", "the position is loaded before the last word", "row 4", true, []string{"points quick", "points"}},
		{PointNotFiltered, "points not filtered", "points that the horizon has passed are taken", "lossy", false, []string{"join quick", "join oldest"}},
		{HorizonWithoutCredit, "horizon without credit", "the horizon rises beyond what the gates allow", "credit", false, []string{"reliable"}},
		{HorizonUnbounded, "horizon beyond P0 + capacity", "the horizon is not held at a lap beyond P0", "credit", false, []string{"lossy quick", "lossy hold", "lossy"}},
		{HorizonNotFenced, "horizon not fenced", "no fence between the horizon and the cursors", "row 5", false, []string{"join quick", "join latest quick", "join oldest", "join latest"}},
		{HorizonAfterPayload, "horizon after payload", "the horizon rises behind the payload", "row 5b", false, []string{"lossy quick", "lossy hold", "lossy"}},
		{NoSecondLook, "no second look", "the cursors are not read again behind the horizon", "row 5", false, []string{"join quick", "join oldest"}},
		{JoinWithoutHorizon, "join without horizon", "a joiner does not look at the horizon behind its cursor", "row 6", false, []string{"join quick", "join latest quick", "join oldest", "join latest"}},
		{GenerationFirst, "generation first", "a joiner stores its generation before policy and cursor", "row 17", false, []string{"reuse policy", "evict reuse"}},
		{IgnoreSlot, "slot freed under a newcomer", "who is found dead is ignored whatever its generation", "joining", false, []string{"reuse quick", "reuse"}},
		{NoHorizonAfterPayload, "no horizon after payload", "a lossy consumer does not look at the horizon behind the payload", "row 7", false, []string{"lossy quick", "lossy"}},
		{NoLoadFenceLossy, "no load fence, lossy", "the horizon is loaded before the payload", "row 7", true, []string{"lossy quick", "lossy"}},
		{PassedByPosition, "passed by position", "what is viewed is judged by where the consumer stands", "lossy", false, []string{"lossy hold"}},
		{NoEvictedAfterPayload, "no evicted after payload", "a deadline consumer does not look at evicted behind the payload", "row 8", false, []string{"deadline quick", "deadline"}},
		{NoLoadFenceDeadline, "no load fence, deadline", "evicted is loaded before the payload", "row 8", true, []string{"deadline quick", "deadline"}},
		{EvictionUntold, "eviction untold", "evicted is not stored before the space is opened", "row 5b", false, []string{"deadline quick", "deadline"}},
		{EvictedGenerationFirst, "evicted generation first", "the generation of the evicted is stored before the position", "row 16", false, []string{"deadline idle"}},
		{EvictionSilent, "eviction rings nobody", "an eviction does not ring", "sleeping", false, []string{"deadline idle"}},
		{EvictedForgotten, "evicted forgotten", "a new producer does not read the list of the evicted", "restart", false, []string{"restart evict quick", "restart evict"}},
		{CursorBeforePayload, "cursor before payload", "the cursor is stored before the payload is read", "row 9", false, []string{"reliable"}},
		{CommitNotFenced, "commit not fenced", "mode producer without the fence behind the commit", "row 11", false, []string{"fences"}},
		{NoSleepBarrier, "no membarrier", "mode sleeper without the sleeper's membarrier", "row 12", false, []string{"reliable"}},
		{WaitingNotFenced, "waiting not fenced", "no fence between waiting and the look", "row 12", false, []string{"fences"}},
		{BellAfterLook, "bell after look", "the bell is read behind the look", "row 12", false, []string{"reliable"}},
		{WaitingAfterBell, "waiting after bell", "waiting is cleared behind the bell", "row 15", false, []string{"reliable"}},
		{NoBell, "no bell", "the kernel wakes, but the bell does not move", "row 15", false, []string{"reliable"}},
		{WakeWithoutJoins, "joins not looked at", "behind a commit only known consumers are woken", "row 11", false, []string{"join idle"}},
		{NeedsFenceUnsaid, "needsFence unsaid", "a consumer without membarrier does not say so, and has no slices", "sleeping", false, []string{"refused"}},
		{ModeBeforeFence, "mode before fence", "the mode is producer one commit before the fence is paid", "sleeping", false, []string{"refused"}},
		{ModeAfterDrop, "mode after drop", "the fence is no longer paid one commit before the mode says so", "sleeping", false, []string{"chooses"}},
		{DropNotFenced, "drop not fenced", "no fence behind the mode that says that sleepers pay", "sleeping", false, []string{"chooses"}},
		{CursorNotFenced, "cursor not fenced", "no fence between cursor and wakeAt, nor a membarrier", "row 13", false, []string{"fences"}},
		{NoWakeAtLook, "wakeAt not looked at", "Release does not look at wakeAt", "row 13", false, []string{"reliable"}},
		{NoWakeAtLookOnLeave, "wakeAt not looked at, leaving", "Close does not look at wakeAt", "consuming", false, []string{"leave"}},
		{WakeAtNotFenced, "wakeAt not fenced", "no fence between wakeAt and the cursors", "row 14", false, []string{"fences"}},
		{WakeAtTooHigh, "wakeAt above P0", "wakeAt lies where no cursor can come, and needAt does not help", "sleeping", false, []string{"drain", "reliable"}},
		{NoWakeAtBarrier, "no membarrier after wakeAt", "the producer's membarrier is left out", "row 14", false, []string{"reliable"}},
		{NoLookAfterWakeAt, "no look after wakeAt", "the producer sleeps without another look at the cursors", "row 14", false, []string{"reliable"}},
		{HoldingIgnored, "needAt ignored", "a consumer goes to sleep with what the producer waits for", "sleeping", false, []string{"hold", "hold ahead"}},
		{NoRingOfHolders, "holders not rung", "a producer that begins to wait rings nobody who sleeps on views", "consuming", false, []string{"hold"}},
		{TakeOverSilent, "take-over rings nobody", "a new producer does not ring the bells", "row 18", false, []string{"take over"}},
		{EpochAfterBells, "epoch after bells", "the epoch is stored behind the bells", "row 18", false, []string{"restart close"}},
		{StateAfterEpoch, "state after epoch", "the state is open only behind the epoch", "restart", false, []string{"restart close"}},
		{DeathBeforeRecords, "death before records", "a death is told without another look for records", "life", false, []string{"kill"}},
		{DeathBeforeLoss, "death before loss", "a death is told without another look for eviction or loss", "consuming", false, []string{"kill lossy", "kill deadline"}},
		{DeathWithoutEpoch, "death without epoch", "a death is told though a successor is at work", "life", false, []string{"restart quick", "restart"}},
		{DeathSilent, "death rings nobody", "the notice of a death does not ring", "life", false, []string{"kill"}},
		{ConsumerDeathSilent, "consumer's death unheard", "the producer sleeps on when a consumer dies", "life", false, []string{"death"}},
		{CancelSilent, "cancel rings nobody", "the end of a context does not ring", "sleeping", false, []string{"cancel"}},
		{EOSEpochIgnored, "EOS of an old epoch", "an EOS counts whatever its epoch", "restart", false, []string{"restart close"}},
		{CloseWithoutState, "close without state", "Close without credit for EOS says nothing", "restart", false, []string{"close full"}},
		{PrivateFutex, "private futex", "the kernel's wake does not cross processes", "list", false, []string{"reliable"}},
		{OldResume, "older resume point", "recovery takes the older of the two resume points", "restart", false, []string{"kill batch quick", "restart quick", "kill batch", "restart"}},
		{NoSlices, "no slices", "a consumer without membarrier sleeps without a bound", "sleeping", false, []string{"refused"}},
		{KernelWakeNoBarrier, "kernel's wake no barrier", "FUTEX_WAKE may overtake the cursor store before it", "kernel", false, []string{"reliable"}},
		{NoBlindSlices, "no slices, producer", "a producer without membarrier sleeps without a bound", "sleeping", false, []string{"blind"}},
	}
}
