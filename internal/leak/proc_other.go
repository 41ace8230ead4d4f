//go:build !linux

package leak

func sharedFiles() map[string]string { return nil }
func children() map[string]string    { return nil }
func descriptors() map[string]int    { return nil }
