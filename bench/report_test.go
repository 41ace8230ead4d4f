package main

import (
	"bytes"
	"context"
	"errors"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/bench/internal/side"
)

// madeUp are results of everything, of which only the shape is like real ones.
func madeUp(t *testing.T) []result {
	t.Helper()
	all := program()
	for _, p := range []peer{{Name: "ZeroMQ", About: "for <a test>", Works: []string{"one way", "round trip"}, Sizes: messageSizes}} {
		for _, e := range p.entries() {
			all = beside(all, e)
		}
	}
	results := make([]result, len(all))
	for i, e := range all {
		r := result{entry: e, rounds: map[string][]float64{}}
		for k, m := range e.metrics {
			v := math.Exp(float64(i*7%11)/2) * float64(1+k) * 100 / float64(8+e.size)
			if m.less {
				v *= 1000
			}
			r.rounds[m.name] = []float64{v, v * 1.1, v * 0.9}
		}
		if i == len(all)/2 {
			r.failed, r.rounds = side.ErrMissing, nil
		}
		results[i] = r
	}
	return results
}

func writeReport(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	if err := newPage(readHost(settings{cpus: [2]int{0, 1}}, 3), madeUp(t)).write(file); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestTheReportStandsAlone(t *testing.T) {
	b, err := os.ReadFile(writeReport(t))
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for _, section := range []string{"throughput", "latency", "scaling", "distance", "raw", "host"} {
		if !strings.Contains(text, `<section id="`+section+`">`) {
			t.Errorf("found no section %s", section)
		}
	}
	if !strings.Contains(text, "for &lt;a test&gt;") {
		t.Error("found no escaped text of a contestant")
	}
	body, _, _ := strings.Cut(text, "<script>")
	for _, bad := range []string{"<link", "src=", "@import", "url(", "ZgotmplZ", "NaN", "Inf"} {
		if strings.Contains(body, bad) {
			t.Errorf("found %q in it", bad)
		}
	}
	if found := strings.Count(strings.ReplaceAll(text, "http://www.w3.org/2000/svg", ""), "://"); found > 0 {
		t.Errorf("found %d addresses in it, want none", found)
	}
}

// With nothing measured, or little, there is a page all the same.
func TestAReportOfLittle(t *testing.T) {
	all := madeUp(t)
	for _, results := range [][]result{nil, all[:1], all[len(all)-1:]} {
		file := filepath.Join(t.TempDir(), "report.html")
		if err := newPage(host{}, results).write(file); err != nil {
			t.Errorf("of %d results: %v", len(results), err)
		}
	}
}

func TestThePlotIsAFileOfItsOwn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.svg")
	if err := writePlot(file, nil); err == nil {
		t.Error("of nothing: found no error")
	}
	if err := writePlot(file, madeUp(t)); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<svg xmlns=", "<style>", "prefers-color-scheme", "ring, batches of 32", "</svg>"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("found no %q in it", want)
		}
	}
}

// A browser that may use no network draws the report, in light and dark, wide
// and narrow, and its script runs to the end.
func TestTheReportRenders(t *testing.T) {
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("SKIP: no Chromium on this machine: ", err)
	}
	report := writeReport(t)
	dom := string(browse(t, browser, report, "--dump-dom"))
	if !strings.Contains(dom, `data-ready="yes"`) {
		t.Error("the script did not run to its end")
	}
	for _, view := range []struct {
		name, scheme, size string
	}{{"light, wide", "1", "1200,2400"}, {"dark, wide", "0", "1200,2400"}, {"light, narrow", "1", "500,2400"}, {"dark, narrow", "0", "500,2400"}} {
		t.Run(view.name, func(t *testing.T) {
			shot := filepath.Join(t.TempDir(), "shot.png")
			browse(t, browser, report, "--screenshot="+shot, "--window-size="+view.size, "--blink-settings=preferredColorScheme="+view.scheme)
			b, err := os.ReadFile(shot)
			if err != nil {
				t.Fatal(err)
			}
			image, err := png.Decode(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			// The corner is background; the colours of the lines are on it.
			r, _, _, _ := image.At(1, 1).RGBA()
			if dark := r < 0x4000; dark != (view.scheme == "0") {
				t.Errorf("found a background with red of %#x", r)
			}
			colours := map[[3]uint32]int{}
			for y := image.Bounds().Min.Y; y < image.Bounds().Max.Y; y += 2 {
				for x := image.Bounds().Min.X; x < image.Bounds().Max.X; x += 2 {
					r, g, b, _ := image.At(x, y).RGBA()
					colours[[3]uint32{r >> 8, g >> 8, b >> 8}]++
				}
			}
			want := [][3]uint32{{0xd4, 0x45, 0x0c}, {0x17, 0x69, 0xaa}, {0x7a, 0x3f, 0xa0}}
			if view.scheme == "0" {
				want = [][3]uint32{{0xff, 0x8f, 0x3f}, {0x58, 0xb0, 0xf5}, {0xc7, 0x9b, 0xf0}}
			}
			for _, c := range want {
				if colours[c] < 50 {
					t.Errorf("found %d points of colour %x, want a plot in it", colours[c], c)
				}
			}
		})
	}
}

func browse(t *testing.T, browser, page string, args ...string) []byte {
	t.Helper()
	// Chromium needs a folder of its own and leaves more behind than it says.
	profile, err := os.MkdirTemp("", "carousel-bench-chromium-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(profile)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser, append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--hide-scrollbars", "--virtual-time-budget=2000", "--user-data-dir=" + profile,
	}, append(args, "file://"+page)...)...)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		t.Fatal(err)
	}
	return out
}
