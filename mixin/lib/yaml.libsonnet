// YAML for people to read: expressions of several lines as they were written,
// and the keys of rules in the order in which one reads them. Also far cheaper
// than std.manifestYamlDoc, which takes Debian's jsonnet minutes.
local first = ['name', 'alert', 'record', 'expr', 'for', 'keep_firing_for', 'labels', 'annotations', 'receiver', 'matchers'];
// What keys are made of, and words that YAML would not take for text.
local plain = { [c]: true for c in std.stringChars('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_') };
local words = { [word]: true for word in ['on', 'off', 'yes', 'no', 'y', 'n', 'true', 'false', 'null'] };

// Only what jsonnet does by itself is fast enough for text: not findSubstr, not
// escapeStringJson, nor anything else that is written in jsonnet and looks at
// each character.
local quoted(text) =
  local list = std.toString([text]);
  std.substr(list, 1, std.length(list) - 2);

local key(name) =
  local strange = std.filter(function(c) !std.objectHas(plain, c), std.stringChars(name));
  if name == '' || std.objectHas(words, std.asciiLower(name)) || std.length(strange) > 0 then quoted(name) else name;

local fields(object) =
  local all = std.objectFields(object);
  [name for name in first if std.member(all, name)] + [name for name in all if !std.member(first, name)];

// A block keeps the text as it is, unless its first line begins with a blank.
local block(lines, indent) =
  local last = std.length(lines) - 1;
  local ended = lines[last] == '';
  [(if ended then '|' else '|-')] +
  [if line == '' then '' else indent + line for line in (if ended then lines[:last] else lines)];

// The lines of a value. The first one goes behind what leads to it, if it is a
// scalar; lines of lists and mappings are indented already.
local isScalar(value) = !(std.isArray(value) || std.isObject(value)) || std.length(value) == 0;
local lines(value, indent) =
  if std.isString(value) then
    local split = std.split(value, '\n');
    if std.length(split) > 1 && split[0] != '' && split[0][0] != ' ' && std.length(std.filter(function(l) l == '', split[std.length(split) - 2:])) < 2
    then block(split, indent)
    else [quoted(value)]
  else if isScalar(value) then [std.toString(value)]
  else if std.isArray(value) then
    std.flattenArrays([
      local below = lines(item, indent + '  ');
      if isScalar(item) then [indent + '- ' + below[0]] + below[1:]
      else [indent + '- ' + std.substr(below[0], std.length(indent) + 2, std.length(below[0]))] + below[1:]
      for item in value
    ])
  else
    std.flattenArrays([
      local field = value[name];  // some jsonnets make a field anew each time
      local below = lines(field, indent + '  ');
      if isScalar(field) then [indent + key(name) + ': ' + below[0]] + below[1:]
      else [indent + key(name) + ':'] + below
      for name in fields(value)
    ]);

function(value) std.join('\n', lines(value, '')) + '\n'
