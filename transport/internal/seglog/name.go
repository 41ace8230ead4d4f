package seglog

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The names in a log's folder.
const (
	logSuffix   = ".log"
	indexSuffix = ".idx"
	cutSuffix   = ".cut"
	lockName    = "lock"
	stateName   = "state"
)

// segment is one file of the log: the sequence of its first record and the
// epoch of the producer that wrote it.
type segment struct{ first, epoch uint64 }

func (s segment) base() string  { return fmt.Sprintf("%020d-%010d", s.first, s.epoch) }
func (s segment) name() string  { return s.base() + logSuffix }
func (s segment) index() string { return s.base() + indexSuffix }

// compare is the order of the log.
func (s segment) compare(t segment) int {
	return cmp.Or(cmp.Compare(s.first, t.first), cmp.Compare(s.epoch, t.epoch))
}

// parseSegment takes the name apart; false if it is not exactly what name or,
// with another suffix, what belongs to a segment is called.
func parseSegment(name, suffix string) (s segment, ok bool) {
	base, ok := strings.CutSuffix(name, suffix)
	if !ok {
		return s, false
	}
	first, epoch, _ := strings.Cut(base, "-")
	s.first, _ = strconv.ParseUint(first, 10, 64)
	s.epoch, _ = strconv.ParseUint(epoch, 10, 64)
	return s, s.first > 0 && s.epoch > 0 && s.base() == base
}

// segments lists those of a folder in order. newest is the largest epoch that
// any name in it carries, be it of something cut off.
func segments(d disk) (list []segment, newest uint64, err error) {
	names, err := d.list()
	if err != nil {
		return nil, 0, err
	}
	for _, n := range names {
		if s, ok := parseSegment(n, logSuffix); ok {
			list = append(list, s)
			newest = max(newest, s.epoch)
		} else if s, ok := parseSegment(n, cutSuffix); ok {
			newest = max(newest, s.epoch)
		}
	}
	slices.SortFunc(list, segment.compare)
	return list, newest, nil
}
