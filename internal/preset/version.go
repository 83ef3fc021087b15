package preset

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
)

// Version is an application framework's. The zero Version is one that is not
// known.
type Version struct{ Major, Minor, Patch int }

// Known reports whether v is a version.
func (v Version) Known() bool { return v != Version{} }

// AtLeast reports whether v is known and not older than major.minor.
func (v Version) AtLeast(major, minor int) bool {
	return v.Known() && cmp.Or(cmp.Compare(v.Major, major), cmp.Compare(v.Minor, minor)) >= 0
}

// String returns the version, or nothing where it is not known.
func (v Version) String() string {
	if !v.Known() {
		return ""
	}
	return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch)
}

// versionLine matches what artisan says of itself. Lumen names its own version
// first and then that of the components that it is made of.
var versionLine = regexp.MustCompile(`Laravel (?:Framework|Components) \^?(\d{1,5})\.(\d{1,5})(?:\.(\d{1,5}))?`)

// parseVersion finds a version in one line of artisan's output.
func parseVersion(line string) (Version, bool) {
	m := versionLine.FindStringSubmatch(plain(line))
	if m == nil {
		return Version{}, false
	}
	var numbers [3]int
	for i, digits := range m[1:] {
		if digits != "" {
			numbers[i], _ = strconv.Atoi(digits) // five digits at most
		}
	}
	v := Version{numbers[0], numbers[1], numbers[2]}
	return v, v.Known()
}
