package contract

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/slipway-go/slipway/diag"
)

// What a file may be at most.
const (
	MaxFileSize = 1 << 20 // bytes of a contract, and of a schema file
	MaxDepth    = 100     // mappings and lists within each other
	maxFaults   = 100     // problems told of one file
	maxMarks    = 100_000 // line ends, commas, colons, brackets and quotes: what keys and values cost memory by
)

// readFile reads a regular file of at most [MaxFileSize] bytes. It does not
// follow a link and does not open what is not a file: a pipe would block.
func readFile(fsys fs.FS, name string) ([]byte, error) {
	info, err := fs.Lstat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errIrregular
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxFileSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxFileSize {
		return nil, errTooLarge
	}
	return data, nil
}

var (
	errIrregular = errors.New("it is a link or not a regular file")
	errTooLarge  = fmt.Errorf("it is larger than %v", Bytes(MaxFileSize))
	errTooDeep   = fmt.Errorf("it is nested deeper than %d levels", MaxDepth)
)

// readDocument reads a file as one YAML document. The node is nil if the file
// cannot be read as one.
func readDocument(fsys fs.FS, file string) (*node, []byte, diag.List) {
	whole := diag.Position{File: file}
	data, err := readFile(fsys, file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, diag.List{diag.New(diag.ContractMissing, "%s does not exist", file).At(whole)}
	case errors.Is(err, errTooLarge):
		return nil, nil, diag.List{diag.New(diag.ContractTooLarge, "%s: %v", file, err).At(whole)}
	case err != nil:
		return nil, nil, diag.List{diag.New(diag.ContractUnreadable, "read %s: %v", file, err).At(whole)}
	}
	root, list := parseDocument(file, data)
	return root, data, list
}

// parseDocument turns bytes into a tree and refuses whatever a contract has no
// use for: other encodings, characters that hide or reorder text, tabs as
// indentation, second documents, anchors, merge keys, tags, repeated keys.
func parseDocument(file string, data []byte) (*node, diag.List) {
	if list := checkText(file, data); list.Failed() {
		return nil, list
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithPlugin(depthLimit{}))
	if err != nil {
		return nil, diag.List{syntaxFault(file, data, err)}
	}
	var doc, second yaml.Node
	switch err := loader.Load(&doc); {
	case errors.Is(err, io.EOF):
		return nil, diag.List{diag.New(diag.ContractSyntax, "the file is empty").At(diag.Position{File: file}).
			WithFix("start it with apiVersion: %s", APIVersion)}
	case err != nil:
		return nil, diag.List{syntaxFault(file, data, err)}
	}
	d := &decoder{file: file, end: endOf(data)}
	switch err := loader.Load(&second); {
	case err == nil:
		d.fault(place{second.Line, second.Column}, diag.ContractDocuments, "", "a second document begins here")
	case !errors.Is(err, io.EOF):
		d.list.Add(syntaxFault(file, data, err))
	}
	root := d.convert(doc.Content[0])
	if root.kind != mappingNode {
		d.fault(root.at, diag.ContractSyntax, "start the file with apiVersion: "+APIVersion, "the file is %s, not a mapping of keys", root.describe())
	}
	if d.list.Failed() && root.kind != mappingNode {
		return nil, d.list
	}
	return root, d.list
}

// depthLimit stops the parser before deep nesting costs anything.
type depthLimit struct{}

func (depthLimit) CheckDepth(depth int, _ *yaml.DepthContext) error {
	if depth > MaxDepth {
		return errTooDeep
	}
	return nil
}

func (depthLimit) CheckAlias(int, int) error { return nil }

// convert copies what the YAML module read, and reports what is refused.
func (d *decoder) convert(y *yaml.Node) *node {
	n := &node{at: place{y.Line, y.Column}}
	if n.at.line > d.end.line {
		n.at = d.end // an empty value behind the last line
	}
	switch {
	case y.Kind == yaml.AliasNode:
		d.fault(n.at, diag.ContractAnchor, "", "*%s is an alias", y.Value)
		n.kind = refusedNode
		return n
	case y.Anchor != "":
		d.fault(n.at, diag.ContractAnchor, "", "&%s is an anchor", y.Anchor)
	}
	if y.Style&yaml.TaggedStyle != 0 {
		d.fault(n.at, diag.ContractTag, "", "%s is a tag", y.Tag)
	}
	switch y.Kind {
	case yaml.MappingNode:
		n.kind = mappingNode
		d.convertEntries(n, y)
	case yaml.SequenceNode:
		n.kind = listNode
		n.items = make([]*node, len(y.Content))
		for i, item := range y.Content {
			n.items[i] = d.convert(item)
		}
	default:
		n.text = y.Value
		n.quoted = y.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
		d.checkRunes(n)
	}
	return n
}

func (d *decoder) convertEntries(n *node, y *yaml.Node) {
	n.entries = make([]entry, 0, len(y.Content)/2)
	seen := make(map[string]place, len(y.Content)/2)
	for i := 0; i+1 < len(y.Content); i += 2 {
		k := d.convert(y.Content[i])
		v := d.convert(y.Content[i+1])
		switch first, twice := seen[k.text]; {
		case k.kind != scalarNode:
			d.fault(k.at, diag.ContractType, "write one word before the colon", "a key is text, not %s", k.describe())
		case k.text == "<<" && !k.quoted:
			d.fault(k.at, diag.ContractAnchor, "", "<< is a merge key")
		case twice:
			d.fault(k.at, diag.ContractDuplicateKey, "", "%s is here twice, first in line %d", k.text, first.line)
		default:
			seen[k.text] = k.at
			n.entries = append(n.entries, entry{k.text, k.at, v})
		}
	}
}

// checkRunes refuses what escapes such as "\u202e" brought into a value.
func (d *decoder) checkRunes(n *node) {
	if i := strings.IndexFunc(n.text, hidden); i >= 0 {
		r, _ := utf8.DecodeRuneInString(n.text[i:])
		d.fault(n.at, diag.ContractEncoding, "", "the value contains the character %U", r)
	}
}

// checkText judges the bytes before they are parsed.
func checkText(file string, data []byte) diag.List {
	var list diag.List
	add := func(line, column int, code diag.Code, format string, args ...any) {
		list.Add(diag.New(code, format, args...).At(diag.Position{File: file, Line: line, Column: column}))
	}
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		add(1, 1, diag.ContractEncoding, "the file begins with a byte order mark")
		return list
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		add(1, 1, diag.ContractEncoding, "the file is UTF-16 or UTF-32")
		return list
	case marks(data) > maxMarks:
		add(0, 0, diag.ContractTooLarge, "the file has more than %d marks such as line ends, colons and commas", maxMarks)
		return list
	}
	i := -1
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		i++
		if len(list) >= maxFaults {
			break
		}
		line = bytes.TrimSuffix(line, []byte("\r"))
		indent := line[:len(line)-len(bytes.TrimLeft(line, " \t"))]
		if tab := bytes.IndexByte(indent, '\t'); tab >= 0 && len(indent) < len(line) {
			add(i+1, tab+1, diag.ContractSyntax, "the line is indented with a tab")
			list[len(list)-1].Fix = "indent with spaces"
		}
		if r, column := hiddenRune(line); column > 0 {
			add(i+1, column, diag.ContractEncoding, "%s", describeHidden(r))
		}
	}
	return list
}

// marks counts what may begin or end a key or a value.
func marks(data []byte) int {
	var n int
	for _, c := range data {
		switch c {
		case '\n', '\r', ',', ':', '[', ']', '{', '}', '"', '\'':
			n++
		}
	}
	return n
}

// hiddenRune returns the first refused character of a line and its column, or
// column 0.
func hiddenRune(line []byte) (r rune, column int) {
	for column = 1; len(line) > 0; column++ {
		r, size := utf8.DecodeRune(line)
		if r == utf8.RuneError && size == 1 {
			return -1, column
		}
		if r != '\t' && hidden(r) {
			return r, column
		}
		line = line[size:]
	}
	return 0, 0
}

func describeHidden(r rune) string {
	if r < 0 {
		return "a byte here is not UTF-8"
	}
	return fmt.Sprintf("the character %U is not allowed", r)
}

// hidden reports whether a character does not show, or moves what does:
// control characters, bidirectional marks, other line breaks.
func hidden(r rune) bool {
	switch r {
	case '\n', '\t':
		return false
	case '\u2028', '\u2029', '\ufeff', '\ufffe', '\uffff':
		return true
	}
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
}
