package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// versionLine is what -version prints: the module's version, the commit it was
// built from where that is known, Go and the system.
func versionLine(name string) string {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
		if version == "" || version == "(devel)" {
			version = "devel"
			for _, s := range info.Settings {
				if s.Key == "vcs.revision" {
					version += "-" + s.Value[:min(12, len(s.Value))]
				}
			}
		}
	}
	return fmt.Sprintf("%s (carousel) %s %s %s/%s", name, version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
