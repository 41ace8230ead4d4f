package transport

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"

	"github.com/carousel-ipc/carousel/ring"
	"github.com/carousel-ipc/carousel/shm"
)

// instead adds to an error for which the place is to blame, a system or a
// container, what may do there. It leaves all others alone.
func (m ringMedium) instead(err error) error {
	others := slices.DeleteFunc(slices.Clone(m.others), func(form string) bool { return form == memfdForm && !shm.CanSeal })
	if len(others) == 0 || !placeIsToBlame(err) {
		return err
	}
	return fmt.Errorf("%w; try %s", err, strings.Join(others, " or "))
}

func placeIsToBlame(err error) bool {
	if errors.Is(err, shm.ErrUnsafeFile) || errors.Is(err, ring.ErrRefused) { // somebody is
		return false
	}
	for _, cause := range []error{shm.ErrNoNamedDir, shm.ErrNoMemfd, shm.ErrNoSpace, fs.ErrPermission, syscall.EROFS, syscall.ENOSYS} {
		if errors.Is(err, cause) {
			return true
		}
	}
	return false
}
