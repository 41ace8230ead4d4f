package leak

import (
	"fmt"
	"maps"
	"slices"
)

// snapshot is what exists at one moment. Keys identify, values describe.
type snapshot struct {
	files       map[string]string
	children    map[string]string
	goroutines  map[string]string
	descriptors map[string]int // by what they lead to, since numbers are reused
}

func take() snapshot {
	return snapshot{
		files:       sharedFiles(),
		children:    children(),
		goroutines:  goroutines(),
		descriptors: descriptors(),
	}
}

// beyond describes what s has and before has not.
func (s snapshot) beyond(before snapshot) (left []string) {
	news := func(kind string, now, then map[string]string) {
		for _, k := range slices.Sorted(maps.Keys(now)) {
			if _, old := then[k]; !old {
				left = append(left, kind+" "+now[k])
			}
		}
	}
	news("file", s.files, before.files)
	news("child process", s.children, before.children)
	for _, k := range slices.Sorted(maps.Keys(s.descriptors)) {
		if more := s.descriptors[k] - before.descriptors[k]; more > 0 {
			left = append(left, fmt.Sprintf("descriptor of %s (%d more than before)", k, more))
		}
	}
	news("goroutine", s.goroutines, before.goroutines)
	return left
}
