package cli

// longestGuess bounds the words that are compared, so that a long argument
// cannot make guessing expensive.
const longestGuess = 64

// nearest returns the known word that a misspelt one most likely means, or
// nothing if none is close.
func nearest(word string, known []string) string {
	best, least := "", max(2, len(word)/3)+1
	for _, k := range known {
		if len(word) > longestGuess || len(k) > longestGuess {
			continue
		}
		if d := distance(word, k); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance counts the slips that make one word of another: a byte too many,
// too few, another one, or two that changed places.
func distance(a, b string) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range b {
		d[0][j+1] = j + 1
	}
	for i := range len(a) {
		for j := range len(b) {
			same := d[i][j]
			if a[i] != b[j] {
				same++
			}
			d[i+1][j+1] = min(same, d[i][j+1]+1, d[i+1][j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d[i+1][j+1] = min(d[i+1][j+1], d[i-1][j-1]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
