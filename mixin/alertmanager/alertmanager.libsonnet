{
  alertmanagerConfig+:: {
    route: { receiver: 'null' },
    receivers: [{ name: 'null' }],
  },
  alertmanagerTemplates+:: {},
}
