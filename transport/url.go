package transport

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// parse reads a URL. Every error is ErrURL.
func parse(url string) (target, error) {
	name, rest, found := strings.Cut(url, ":")
	switch {
	case url == "":
		return target{}, urlError(url, "want %s, found nothing", forms())
	case !found:
		return target{}, urlError(url, "want %s, found no scheme", forms())
	}
	for _, s := range schemes {
		if s.name != name {
			continue
		}
		thing, err := s.check(rest)
		if err != nil {
			return target{}, urlError(url, "want %s: %w", s.form, err)
		}
		return target{url: url, scheme: s, name: thing}, nil
	}
	return target{}, urlError(url, "want %s, found the unknown scheme %q", forms(), shorten(name))
}

func urlError(url, format string, args ...any) error {
	return fmt.Errorf("%w: %q: %w", ErrURL, shorten(url), fmt.Errorf(format, args...))
}

// forms is "shm://NAME, or one of file:, memfd:" and so on.
func forms() string {
	var names []string
	for _, s := range schemes[1:] {
		names = append(names, s.name+":")
	}
	return schemes[0].form + ", or one of " + strings.Join(names, ", ")
}

// shorten keeps what somebody typed or pasted from flooding an error text.
func shorten(s string) string {
	const limit = 60
	if len(s) <= limit {
		return s
	}
	return s[:limit-20] + "..." + s[len(s)-17:]
}

// maxName leaves room in a file name of 255 bytes for what a medium appends.
const maxName = 200

// checkName takes "//NAME".
func checkName(rest string) (string, error) {
	name, ok := strings.CutPrefix(rest, "//")
	switch {
	case !ok:
		return "", errors.New("found no // behind the scheme")
	case name == "":
		return "", errors.New("found an empty name")
	case len(name) > maxName:
		return "", fmt.Errorf("a name has at most %d bytes, found %d", maxName, len(name))
	case name[0] == '.':
		return "", errors.New("a name does not start with a dot")
	}
	for i, r := range name {
		if r == '/' {
			return "", fmt.Errorf("a name has no slash, found one at byte %d", i)
		}
		if !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", r) {
			return "", fmt.Errorf("a name is made of A-Za-z0-9._-, found %q at byte %d", r, i)
		}
	}
	return name, nil
}

// checkPath takes "///PATH". What is behind the second slash is the path, as
// it stands; Windows' "/C:/x" loses its first slash.
func checkPath(rest string) (string, error) {
	path, ok := strings.CutPrefix(rest, "//")
	switch {
	case !ok:
		return "", errors.New("found no // behind the scheme")
	case path == "":
		return "", errors.New("found an empty path")
	case path[0] != '/':
		return "", errors.New("the path is absolute, so three slashes; found two")
	case path[len(path)-1] == '/':
		return "", errors.New("the path names a file, found a slash at its end")
	case strings.ContainsRune(path, 0):
		return "", errors.New("found a zero byte in the path")
	}
	if base := path[strings.LastIndexByte(path, '/')+1:]; len(base) > maxName {
		return "", fmt.Errorf("a file's name has at most %d bytes, found %d", maxName, len(base))
	}
	if runtime.GOOS == "windows" {
		path = filepath.FromSlash(path[1:])
	}
	return path, nil
}
