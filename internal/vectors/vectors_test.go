package vectors

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestVectorsOfADocument(t *testing.T) {
	got, err := parse("# Title\n\n```hex\n# one: the first\n01 02  03 # three\n```\n\n```sh\n# not this\nff\n```\n```hex\n# two\n0405\n```\n")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string][]byte{"one": {1, 2, 3}, "two": {4, 5}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBrokenVectorsAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"half a byte":      "```hex\n# a\n1\n```\n",
		"no name":          "```hex\n01\n```\n",
		"no bytes":         "```hex\n# a\n```\n",
		"a name twice":     "```hex\n# a\n01\n```\n```hex\n# a\n01\n```\n",
		"no end":           "```hex\n# a\n01\n",
		"not hexadecimal":  "```hex\n# a\nxy\n```\n",
		"a name too late":  "```hex\n01\n```\n# a\n",
		"two, one without": "```hex\n# a\n01\n```\n```hex\n02\n```\n",
	} {
		if got, err := parse(text); err == nil {
			t.Errorf("%s: wanted an error, found %v", name, got)
		}
	}
}
