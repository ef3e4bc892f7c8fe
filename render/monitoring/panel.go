package monitoring

import "strconv"

// The grid of Grafana is 24 wide; three panels stand side by side.
const (
	panelWidth, panelHeight = 8, 8
	gridWidth               = 24
)

type panel struct {
	ID          int      `json:"id"`
	Type        string   `json:"type"`
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	GridPos     grid     `json:"gridPos"`
	Datasource  *source  `json:"datasource,omitempty"`
	FieldConfig *fields  `json:"fieldConfig,omitempty"`
	Options     any      `json:"options,omitempty"`
	Targets     []target `json:"targets,omitempty"`
	Collapsed   *bool    `json:"collapsed,omitempty"`
	Panels      *[]panel `json:"panels,omitempty"`
}

type grid struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

type fields struct {
	Defaults  field `json:"defaults"`
	Overrides []any `json:"overrides"`
}

type field struct {
	Unit       string         `json:"unit"`
	Min        *int           `json:"min,omitempty"`
	Custom     map[string]any `json:"custom"`
	Thresholds *thresholds    `json:"thresholds,omitempty"`
}

type thresholds struct {
	Mode  string `json:"mode"`
	Steps []step `json:"steps"`
}

type step struct {
	Color string   `json:"color"`
	Value *float64 `json:"value"`
}

type target struct {
	RefID        string `json:"refId"`
	Datasource   source `json:"datasource"`
	Expr         string `json:"expr"`
	LegendFormat string `json:"legendFormat,omitempty"`
	Instant      bool   `json:"instant,omitempty"`
	Format       string `json:"format,omitempty"`
	EditorMode   string `json:"editorMode"`
}

// A query is an expression, and what its lines are called.
type query struct{ expr, legend string }

// row begins a line of panels with a title.
func (b *board) row(title string) {
	b.wrap()
	b.Panels = append(b.Panels, panel{
		ID: b.id(), Type: "row", Title: title, GridPos: grid{1, gridWidth, 0, b.y}, Collapsed: new(false), Panels: &[]panel{},
	})
	b.y++
}

// wrap begins a new line unless this one is empty.
func (b *board) wrap() {
	if b.x > 0 {
		b.x, b.y = 0, b.y+panelHeight
	}
}

func (b *board) id() int {
	b.nextID++
	return b.nextID - 1
}

// place finds the next free place for a panel.
func (b *board) place(width int) grid {
	if b.x+width > gridWidth {
		b.wrap()
	}
	at := grid{panelHeight, width, b.x, b.y}
	b.x += width
	return at
}

// graph adds lines over time.
func (b *board) graph(title, description, unit string, queries ...query) {
	b.lines(title, description, unit, nil, queries...)
}

// bounded adds lines over time, with one where they should not come.
func (b *board) bounded(title, description, unit string, bound float64, queries ...query) {
	b.lines(title, description, unit, &bound, queries...)
}

func (b *board) lines(title, description, unit string, bound *float64, queries ...query) {
	if len(queries) == 0 {
		return
	}
	f := field{Unit: unit, Min: new(0), Custom: map[string]any{"drawStyle": "line", "fillOpacity": 10, "lineWidth": 1, "showPoints": "never"}}
	if bound != nil {
		f.Custom["thresholdsStyle"] = map[string]string{"mode": "line"}
		f.Thresholds = &thresholds{"absolute", []step{{"green", nil}, {"red", bound}}}
	}
	p := panel{
		ID: b.id(), Type: "timeseries", Title: title, Description: description, GridPos: b.place(panelWidth),
		Datasource: &prometheus, FieldConfig: &fields{f, []any{}},
		Options: map[string]any{
			"legend":  map[string]any{"displayMode": "list", "placement": "bottom", "showLegend": true},
			"tooltip": map[string]any{"mode": "multi", "sort": "desc"},
		},
	}
	for i, q := range queries {
		p.Targets = append(p.Targets, target{RefID: ref(i), Datasource: prometheus, Expr: q.expr, LegendFormat: q.legend, EditorMode: "code"})
	}
	b.Panels = append(b.Panels, p)
}

// table adds series as they are now, with their labels.
func (b *board) table(title, description, expr string) {
	b.Panels = append(b.Panels, panel{
		ID: b.id(), Type: "table", Title: title, Description: description, GridPos: b.place(2 * panelWidth),
		Datasource: &prometheus, FieldConfig: &fields{field{Unit: "none", Custom: map[string]any{}}, []any{}},
		Targets: []target{{RefID: "A", Datasource: prometheus, Expr: expr, Instant: true, Format: "table", EditorMode: "code"}},
	})
}

// ref names the queries of a panel: A to Z, then with numbers.
func ref(i int) string {
	if i < 26 {
		return string(rune('A' + i))
	}
	return "Q" + strconv.Itoa(i)
}

func number(f float64) string { return strconv.FormatFloat(f, 'g', 6, 64) }
