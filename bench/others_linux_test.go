package main

import (
	"os/exec"
	"testing"
	"time"
)

// What this process and its children take is not what others take: it cannot
// be told apart from them on a busy machine, so only bounds are asked for.
func TestOthersAreNotOurselves(t *testing.T) {
	u := readUsage()
	if u.busy <= 0 || u.mine <= 0 || allCPUs() < 1 {
		t.Fatalf("found %+v of %d processors", u, allCPUs())
	}
	if err := exec.Command("sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done").Run(); err != nil {
		t.Skip("SKIP: no shell: ", err)
	}
	time.Sleep(20 * time.Millisecond)
	if now := readUsage(); now.mine <= u.mine || now.busy < u.busy {
		t.Errorf("found %+v, then %+v: a child took time", u, now)
	}
	if found := u.others(); found < 0 || found > 110 {
		t.Errorf("found %v %% taken by others", found)
	}
}
