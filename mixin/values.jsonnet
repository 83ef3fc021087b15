// What the compiled files of the mixin as it stands say: see lib/compile.libsonnet.
local files = (import 'lib/compile.libsonnet')(import 'mixin.libsonnet');
files.dashboards + files.values
