{
  alertmanagerConfig+:: {},
  alertmanagerTemplates+:: {},
}
