//go:build !linux

package mqueue

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"time"
)

// Queue is none here.
type Queue struct{}

var errNone = fmt.Errorf("mqueue: wanted message queues of the kernel that can be waited on, found %s: %w", runtime.GOOS, errors.ErrUnsupported)

func Limits() (Size, error)                            { return Size{}, errNone }
func Create(string, Size, fs.FileMode) (*Queue, error) { return nil, errNone }
func Open(string) (*Queue, error)                      { return nil, errNone }
func Remove(string) error                              { return errNone }

func (*Queue) Size() Size                             { return Size{} }
func (*Queue) Queued() (int, error)                   { return 0, errNone }
func (*Queue) TrySend([]byte, uint) error             { return errNone }
func (*Queue) Send([]byte, uint) error                { return errNone }
func (*Queue) WaitRoom(int) error                     { return errNone }
func (*Queue) TryReceive([]byte) (int, uint32, error) { return 0, 0, errNone }
func (*Queue) Receive([]byte) (int, uint32, error)    { return 0, 0, errNone }
func (*Queue) SetReadDeadline(time.Time) error        { return errNone }
func (*Queue) SetWriteDeadline(time.Time) error       { return errNone }
func (*Queue) Close() error                           { return errNone }
