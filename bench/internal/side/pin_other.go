//go:build !linux

package side

import "errors"

// AllowedCPUs: not known.
func AllowedCPUs() []int { return nil }

// PinThread cannot.
func PinThread(...int) error { return errors.ErrUnsupported }

func pin([]int) error { return errors.ErrUnsupported }
