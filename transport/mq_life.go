package transport

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/carousel-ipc/carousel/shm"
)

// mqLife is the file NAME.mq in /dev/shm beside a message queue, which cannot
// tell who lives. The producer holds a life lock on it and says there how many
// producers the queue has had, and whether the stream has ended:
//
//	| magic u64 | version u32 | ended u32 | epoch u64 | CRC32C u32 | zeros to 64 bytes |
type mqLife struct {
	file  *shm.File
	lock  *shm.Lock // the producer's
	out   *os.File  // the producer's
	epoch uint64    // the producer's
	stale bool      // the producer before it had ended: its EOS may be in the queue
}

type mqState struct {
	epoch uint64
	ended bool
}

const (
	mqSuffix   = ".mq"
	mqMagic    = 0x31514d4c53524143 // "CARSLMQ1"
	mqVersion  = 1
	mqFileSize = 64
	mqRole     = 0
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (s mqState) bytes() []byte {
	b := binary.LittleEndian.AppendUint64(nil, mqMagic)
	b = binary.LittleEndian.AppendUint32(b, mqVersion)
	var ended uint32
	if s.ended {
		ended = 1
	}
	b = binary.LittleEndian.AppendUint32(b, ended)
	b = binary.LittleEndian.AppendUint64(b, s.epoch)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// decodeMqState is the zero state for what was never written, or was written
// by halves.
func decodeMqState(b []byte) mqState {
	if len(b) < 28 || binary.LittleEndian.Uint64(b) != mqMagic || binary.LittleEndian.Uint32(b[8:]) != mqVersion ||
		binary.LittleEndian.Uint32(b[24:]) != crc32.Checksum(b[:24], castagnoli) {
		return mqState{}
	}
	return mqState{ended: binary.LittleEndian.Uint32(b[12:]) == 1, epoch: binary.LittleEndian.Uint64(b[16:])}
}

func mqPath(name string) (string, error) {
	dir, err := shm.NamedDir()
	return filepath.Join(dir, name+mqSuffix), err
}

// beginMqLife makes the caller the producer.
func beginMqLife(name string) (*mqLife, error) {
	path, err := mqPath(name)
	if err != nil {
		return nil, err
	}
	for range 100 {
		l, err := tryMqLife(path)
		if !errors.Is(err, errGone) {
			return l, err
		}
	}
	return nil, fmt.Errorf("%s: %w", path, errGone)
}

// errGone: somebody removed or made the file meanwhile.
var errGone = errors.New("the file comes and goes")

func tryMqLife(path string) (*mqLife, error) {
	f, err := shm.Open(path, shm.ReadWrite)
	if errors.Is(err, fs.ErrNotExist) {
		if f, err = shm.Create(path, mqFileSize, 0o600); err != nil {
			return nil, err
		}
		if err := f.Publish(); err != nil {
			_ = f.Close()
			if errors.Is(err, fs.ErrExist) {
				err = errGone
			}
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	l := &mqLife{file: f}
	l.lock, err = f.TryLock(mqRole)
	if errors.Is(err, shm.ErrLocked) {
		err = fmt.Errorf("%w: %s is locked", ErrProducerLive, path)
	}
	if err == nil {
		var named bool
		if named, err = f.Named(); err == nil && !named {
			err = errGone
		}
	}
	if err == nil {
		before := l.state()
		l.epoch, l.stale = before.epoch+1, before.ended
		l.out, err = os.OpenFile(path, os.O_WRONLY, 0)
	}
	if err == nil {
		err = l.store(mqState{epoch: l.epoch})
	}
	if err != nil {
		return nil, errors.Join(err, l.leave(false))
	}
	return l, nil
}

func (l *mqLife) store(s mqState) error {
	_, err := l.out.WriteAt(s.bytes(), 0)
	return err
}

// end says that the stream has ended.
func (l *mqLife) end() error { return l.store(mqState{epoch: l.epoch, ended: true}) }

// leave gives the lock up, and before that, if the queue has gone, the name.
func (l *mqLife) leave(remove bool) error {
	var errs []error
	if remove {
		errs = append(errs, l.file.Remove())
	}
	if l.out != nil {
		errs = append(errs, l.out.Close())
	}
	return errors.Join(append(errs, l.lock.Unlock(), l.file.Close())...)
}

// openMqLife is the look of everybody else.
func openMqLife(name string) (*mqLife, error) {
	path, err := mqPath(name)
	if err != nil {
		return nil, err
	}
	f, err := shm.Open(path, shm.ReadOnly)
	if err != nil {
		return nil, err
	}
	return &mqLife{file: f}, nil
}

func (l *mqLife) alive() (bool, error) { return l.file.Held(mqRole) }

func (l *mqLife) state() mqState {
	b := make([]byte, mqFileSize)
	n, _ := l.file.ReadAt(b, 0)
	return decodeMqState(b[:n])
}

func (l *mqLife) close() error { return l.file.Close() }
