//go:build !unix

package seglog

// sync: there is no such call for folders here. NTFS keeps a journal of names
// by itself.
func (d folder) sync() error { return nil }
