// Names that a user wrote, and what may have been meant.
local least(numbers) = std.foldl(std.min, numbers, 1e9);

// How many characters differ: insertions, deletions, replacements.
local distance(a, b) =
  local row(previous, i) = std.foldl(
    function(done, j) done + [least([
      previous[j] + 1,
      done[j - 1] + 1,
      previous[j - 1] + (if a[i - 1] == b[j - 1] then 0 else 1),
    ])],
    std.range(1, std.length(b)),
    [i],
  );
  std.foldl(row, std.range(1, std.length(a)), std.range(0, std.length(b)))[std.length(b)];

local nearest(name, known) =
  std.foldl(
    function(best, k) local d = distance(std.asciiLower(name), std.asciiLower(k)); if d < best.distance then { name: k, distance: d } else best,
    known,
    { name: '', distance: 1e9 },
  );

{
  // The name, if it is known; else an error that names the key and the nearest
  // known name.
  check(key, name, known, complaint)::
    if std.member(known, name) then name
    else error '%s: %s: %s; did you mean %s?' % [key, name, complaint, nearest(name, known).name],
}
