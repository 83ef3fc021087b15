package queue

import (
	"slices"
	"strings"
	"unicode"
)

// LaravelPrefixes lists the prefixes that the keys of a Laravel application
// can have, likeliest first: keyPrefix (what the configuration says of the
// connection, if anything), what the skeletons derive from the application's
// name and slug, what they derive when APP_NAME is not set, and none.
func LaravelPrefixes(name, slug, keyPrefix string) []string {
	var list []string
	add := func(p string) {
		if !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	if keyPrefix != "" {
		add(keyPrefix)
	}
	for _, n := range []string{name, slug, "laravel"} {
		if laravelSlug(n, '_') == "" {
			continue
		}
		add(laravelSlug(n, '_') + "_database_")
		add(laravelSlug(n, '-') + "-database-")
	}
	add("")
	return list
}

// HorizonPrefixes lists the prefixes that the keys of an application's Horizon
// can have, likeliest first.
func HorizonPrefixes(name, slug string) []string {
	var list []string
	for _, n := range []string{name, slug, "laravel"} {
		if s := laravelSlug(n, '_'); s != "" && !slices.Contains(list, s+"_horizon:") {
			list = append(list, s+"_horizon:", "{"+s+"_horizon:}")
		}
	}
	return list
}

// laravelSlug is what Laravel's Str::slug makes of a name: lower case, letters
// and digits, everything between them one separator.
func laravelSlug(name string, separator rune) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ReplaceAll(name, "@", " at ") {
		switch {
		case unicode.IsLetter(r) || unicode.IsNumber(r):
			if gap && b.Len() > 0 {
				b.WriteRune(separator)
			}
			gap = false
			b.WriteString(ascii(unicode.ToLower(r)))
		case r == '-' || r == '_' || unicode.IsSpace(r):
			gap = true
		}
	}
	return b.String()
}

// ascii writes the accented letters of western European names without accents.
// Others stay; such an application needs its key_prefix configured.
func ascii(r rune) string {
	if r < unicode.MaxASCII {
		return string(r)
	}
	const plain = "àaáaâaãaäaåaæaeçcèeéeêeëeìiíiîiïiñnòoóoôoõoöoøoùuúuûuüuýyÿy¹1²2³3ßssśsšsžzźzżzłlčcćcěeřrůuņnńn"
	i := strings.IndexRune(plain, r)
	if i < 0 {
		return string(r)
	}
	rest := plain[i+len(string(r)):]
	end := strings.IndexFunc(rest, func(r rune) bool { return r > unicode.MaxASCII })
	if end < 0 {
		end = len(rest)
	}
	return rest[:end]
}

// LaravelCachePrefixes lists what may stand in front of the keys of a Laravel
// cache: the prefix of its Redis connection, one of connectionPrefixes (see
// LaravelPrefixes), and the cache's own one as config/cache.php has it. Where
// cachePrefix is empty that is taken to be made of the same name, as the
// skeletons do it, or of the application's name or slug.
func LaravelCachePrefixes(connectionPrefixes []string, name, slug, cachePrefix string) []string {
	var list []string
	for _, before := range connectionPrefixes {
		for _, own := range cachePrefixes(before, name, slug, cachePrefix) {
			if !slices.Contains(list, before+own) {
				list = append(list, before+own)
			}
		}
	}
	return list
}

// cachePrefixes lists the cache's own prefixes that go with that of its
// connection.
func cachePrefixes(before, name, slug, configured string) []string {
	switch {
	case strings.HasSuffix(configured, ":"):
		return []string{configured}
	case configured != "":
		return []string{configured, configured + ":", configured + "-", configured + "_"}
	}
	if base, ok := strings.CutSuffix(before, "_database_"); ok {
		return []string{base + "_cache_", base + "_cache:"}
	}
	if base, ok := strings.CutSuffix(before, "-database-"); ok {
		return []string{base + "-cache-"}
	}
	var list []string
	for _, n := range []string{name, slug, "laravel"} {
		if under := laravelSlug(n, '_'); under != "" {
			list = append(list, under+"_cache_", under+"_cache:", laravelSlug(n, '-')+"-cache-")
		}
	}
	return list
}
