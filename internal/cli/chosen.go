package cli

import (
	"strings"

	"github.com/carousel-ipc/carousel/transport"
)

// chosen says what a URL that leaves the choice came to, and returns the medium
// that it is.
func (c *console) chosen(url, medium string, end any) string {
	choice, ok := end.(transport.Chosen)
	if !ok {
		return medium
	}
	to, why := choice.Chosen()
	if why == "" {
		why = "the first choice, and it works here"
	}
	c.note("%s is %s: %s", url, to, strings.ReplaceAll(why, "\n", "; "))
	medium, _, _ = strings.Cut(to, ":")
	return medium
}
