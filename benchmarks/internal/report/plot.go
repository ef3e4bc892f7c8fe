package report

import (
	"fmt"
	"html"
	"io"
	"strings"
)

// A Plot is horizontal bars in groups that share a scale.
type Plot struct {
	Title  string
	Unit   Unit
	Groups []Group
}

// A Group is the bars of one case.
type Group struct {
	Title string
	Bars  []Bar
}

// A Bar is the median with a line from the least to the most.
type Bar struct {
	Name  string
	Value Samples
	Own   bool // Slipway's
}

const (
	plotWidth  = 860
	plotLabels = 300 // the names' part of the width
	plotText   = 90  // the figures' part
	barHeight  = 16
	barGap     = 6
)

// WriteTo writes the plot as SVG that reads on light and dark pages.
func (p Plot) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	y := 34
	for _, g := range p.Groups {
		y = g.write(&b, p.Unit, y)
	}
	head := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="system-ui, sans-serif" font-size="12">
<style>text{fill:#1f2430}.own{fill:#0b6e99}.other{fill:#9aa5b1}.spread{stroke:#1f2430;stroke-width:1.5}@media (prefers-color-scheme:dark){text{fill:#e6e9ef}.spread{stroke:#e6e9ef}.own{fill:#39a9d9}.other{fill:#66707d}}</style>
<text x="0" y="16" font-size="15" font-weight="600">%s</text>
`, plotWidth, y, html.EscapeString(p.Title))
	n, err := io.WriteString(w, head+b.String()+"</svg>\n")
	return int64(n), err
}

// write draws a group from y on and returns where the next one begins. Each
// group has its own scale: its largest value fills the width.
func (g Group) write(b *strings.Builder, unit Unit, y int) int {
	top := 0.0
	for _, bar := range g.Bars {
		_, _, most := bar.Value.Spread()
		top = max(top, most)
	}
	scale := float64(plotWidth-plotLabels-plotText) / max(top, 1e-12)
	fmt.Fprintf(b, `<text x="0" y="%d" font-weight="600">%s</text>`+"\n", y+12, html.EscapeString(g.Title))
	y += 22
	for _, bar := range g.Bars {
		least, median, most := bar.Value.Spread()
		class := "other"
		if bar.Own {
			class = "own"
		}
		middle := y + barHeight/2
		fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%s</text>`, plotLabels-8, y+12, html.EscapeString(bar.Name))
		fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d" rx="2"/>`, class, plotLabels, y, median*scale, barHeight)
		fmt.Fprintf(b, `<line class="spread" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/>`, plotLabels+least*scale, middle, plotLabels+most*scale, middle)
		fmt.Fprintf(b, `<text x="%.1f" y="%d">%s</text>`+"\n", plotLabels+most*scale+6, y+12, unit(median))
		y += barHeight + barGap
	}
	return y + 14
}
