package shm

import (
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// openFile opens so that others may still rename and remove the file, which
// [os.OpenFile] does not. With create the file must be new.
func openFile(path string, a Access, create bool) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	access, how := uint32(windows.GENERIC_READ), uint32(windows.OPEN_EXISTING)
	if a == ReadWrite {
		access |= windows.GENERIC_WRITE
	}
	if create {
		how = windows.CREATE_NEW
	}
	const share = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
	const attributes = windows.FILE_ATTRIBUTE_NORMAL | windows.FILE_FLAG_OPEN_REPARSE_POINT
	h, err := windows.CreateFile(name, access, share, nil, how, attributes, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}

// checkPrivate refuses a file with a second name. Who may reach a file is in
// its access control list, which it has from its folder: not looked at.
func checkPrivate(file *os.File, _ fs.FileInfo) error {
	var info windows.ByHandleFileInformation
	err := control(file, func(fd int) error {
		return windows.GetFileInformationByHandle(windows.Handle(fd), &info)
	})
	if err != nil {
		return os.NewSyscallError("GetFileInformationByHandle", err)
	}
	if info.NumberOfLinks > 1 {
		return fmt.Errorf("%w, found %d", errSecondName, info.NumberOfLinks)
	}
	return nil
}
