//go:build !linux

package shm_test

import "testing"

func wantNotInherited(*testing.T, int, string) {}

func childFillsTmpfs([]string) int { return 2 }

func childIsLimited([]string) int { return 2 }
