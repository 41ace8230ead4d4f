package model

// pc is where a process is: before its next access to something shared. What
// a process does between two of them it does in one step.
type pc uint8

const (
	off pc = iota // not started, ended or dead

	// Producer.
	pWalk
	pBeginFence
	pBellAdd
	pBellWake
	pRefreshJoins
	pRefreshGeneration
	pRefreshCursor
	pAdmit
	pNext
	pStage
	pBury
	pGateJoins
	pGateNeeds
	pGateCursor
	pHorizon
	pCreditFence
	pZero
	pFirst
	pCheckpoint
	pWakeJoins
	pWakeWaiting
	pRouseAdd
	pRouseWake
	pRouseClear // mutant: waiting after bell
	pRouseNeeds
	pTakeFence
	pDropFence
	pTurn
	pObstacle
	pEvictAdd
	pEvictWake
	pWakeAt
	pBarrier
	pRingWaiting
	pSleepCursor
	pSleepWait
	pAsleep
	pState
	pUnlock
	pIdle

	// Consumer.
	cAbsent
	cJoinEpoch
	cChooseHorizon
	cChooseWord
	cKept
	cPoint
	cChoosePassed
	cNoneHorizon
	cNoneWord
	cJoinGeneration
	cJoinAdd
	cJoinFence
	cJoinPassed
	cWalkWord
	cWalkMeta
	cWalkStale
	cWatch
	cWatchAdd
	cCommit
	cMeta
	cFrameStale
	cPayload
	cHeldPayload
	cEOSPayload
	cSpecialStale
	cReleaseStale
	cEvictedAt
	cCursor
	cWakeAt
	cWakeProducer
	cResyncPassed
	cBell
	cWaiting
	cMode
	cSleepBarrier
	cLookStale
	cLookEpoch
	cLookState
	cLookThere
	cMournEpoch
	cMournLock
	cMournThere
	cMournStale
	cMournState
	cMournAgain
	cThere
	cHoldWakeAt
	cHoldNeedAt
	cHoldWake
	cSleepWait
	cAsleep
	cWaitBell
	cWaitEpoch
	cWaitWait
	cWaitAsleep
	cEnded
	cUnlock

	steps
)

// stepNames are the function of the ring and the access in it.
var stepNames = [steps]string{
	off:                "off",
	pWalk:              "recover: walk",
	pBeginFence:        "begin: fence behind fenceMode",
	pBellAdd:           "ringAll: bell + 1",
	pBellWake:          "ringAll: wake",
	pRefreshJoins:      "refresh: joins",
	pRefreshGeneration: "refresh: generation",
	pRefreshCursor:     "refresh: cursor",
	pAdmit:             "admit: policy",
	pNext:              "next call",
	pStage:             "reserve: stage",
	pBury:              "bury: slot lock",
	pGateJoins:         "gate: joins",
	pGateNeeds:         "gate: needsFence",
	pGateCursor:        "gate: cursor",
	pHorizon:           "credit: horizon",
	pCreditFence:       "credit: fence",
	pZero:              "commit: zero",
	pFirst:             "commit: first word",
	pCheckpoint:        "commit: checkpoint",
	pWakeJoins:         "wake: joins",
	pWakeWaiting:       "wake: waiting",
	pRouseAdd:          "rouse: bell + 1",
	pRouseWake:         "rouse: wake",
	pRouseClear:        "rouse: waiting = 0, late",
	pRouseNeeds:        "rouse: needsFence",
	pTakeFence:         "takeFence: fence",
	pDropFence:         "dropFence: mode and fence",
	pTurn:              "waitGate: alarm",
	pObstacle:          "obstacles: slot lock",
	pEvictAdd:          "evict: bell + 1",
	pEvictWake:         "evict: wake",
	pWakeAt:            "announce: wakeAt",
	pBarrier:           "announce: membarrier",
	pRingWaiting:       "announce: waiting",
	pSleepCursor:       "sleepOn: cursor",
	pSleepWait:         "sleepOn: wait",
	pAsleep:            "sleepOn: asleep",
	pState:             "endOfStream: state",
	pUnlock:            "close: unlock",
	pIdle:              "idle",
	cAbsent:            "takeSlot: lock",
	cJoinEpoch:         "join: epoch",
	cChooseHorizon:     "choose: horizon",
	cChooseWord:        "choose: resume words",
	cKept:              "kept: horizon",
	cPoint:             "loadPoint",
	cChoosePassed:      "choose: horizon again",
	cNoneHorizon:       "choose: none, horizon",
	cNoneWord:          "choose: none, resume words",
	cJoinGeneration:    "join: cursor, generation",
	cJoinAdd:           "join: joins + 1",
	cJoinFence:         "join: fence",
	cJoinPassed:        "join: horizon",
	cWalkWord:          "walk: commit word",
	cWalkMeta:          "walk: meta",
	cWalkStale:         "staleJoin",
	cWatch:             "checkProducer: lock",
	cWatchAdd:          "checkProducer: bell + 1",
	cCommit:            "next: commit word",
	cMeta:              "next: meta",
	cFrameStale:        "next: horizon",
	cPayload:           "view: payload",
	cHeldPayload:       "view: payload of the first held",
	cEOSPayload:        "eos: payload",
	cSpecialStale:      "doubtful: special",
	cReleaseStale:      "release: doubtful",
	cEvictedAt:         "evictedNow: at",
	cCursor:            "move: cursor",
	cWakeAt:            "move: wakeAt",
	cWakeProducer:      "move: wake",
	cResyncPassed:      "resync: horizon",
	cBell:              "sleep: bell",
	cWaiting:           "sleep: waiting",
	cMode:              "fenceSleep: fenceMode",
	cSleepBarrier:      "fenceSleep: membarrier",
	cLookStale:         "look: horizon or evicted",
	cLookEpoch:         "look: epoch",
	cLookState:         "look: state",
	cLookThere:         "look: commit word",
	cMournEpoch:        "mourn: epoch",
	cMournLock:         "mourn: producer lock",
	cMournThere:        "mourn: commit word",
	cMournStale:        "mourn: horizon or evicted",
	cMournState:        "mourn: state",
	cMournAgain:        "mourn: epoch again",
	cThere:             "sleep: commit word",
	cHoldWakeAt:        "holding: wakeAt",
	cHoldNeedAt:        "holding: needAt",
	cHoldWake:          "holding: wake",
	cSleepWait:         "sleep: wait",
	cAsleep:            "sleep: asleep",
	cWaitBell:          "WaitProducer: bell",
	cWaitEpoch:         "WaitProducer: epoch",
	cWaitWait:          "WaitProducer: wait",
	cWaitAsleep:        "WaitProducer: asleep",
	cEnded:             "end of the calls",
	cUnlock:            "Close: unlock",
}

// local steps touch nothing but the process's own state and its own buffer,
// so that they follow the step before them at once.
func (c pc) local() bool {
	switch c {
	case pNext, pStage, pZero, pCheckpoint, pTurn, pState, cEnded:
		return true
	}
	return false
}

// drained steps wait until everything before them is visible: barriers,
// exchanges, atomic adds, and calls into the kernel that wake or unlock. The
// kernel's wait is not counted on as a barrier.
func (c pc) drained() bool {
	switch c {
	case pBeginFence, pBellAdd, pBellWake, pHorizon, pCreditFence, pRouseAdd, pRouseWake, pTakeFence, pDropFence,
		pFirst, pEvictAdd, pEvictWake, pWakeAt, pBarrier, pUnlock,
		cJoinAdd, cJoinFence, cWatchAdd, cWakeProducer, cWaiting, cSleepBarrier, cHoldWake, cUnlock:
		return true
	}
	return false
}

func (c pc) asleep() bool { return c == pAsleep || c == cAsleep || c == cWaitAsleep }
