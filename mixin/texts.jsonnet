// The other compiled files of the mixin as it stands: see lib/compile.libsonnet.
(import 'lib/compile.libsonnet')(import 'mixin.libsonnet').texts
