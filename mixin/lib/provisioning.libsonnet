// Files that tell a Grafana where its data is and which dashboards to show; by
// path, as text, like those of compile.libsonnet.
function(mixin)
  local config = mixin._config;
  local provisioning = config.provisioning;
  local yaml(value) = (import 'yaml.libsonnet')({ apiVersion: 1 } + value);
  {
    'grafana/provisioning/datasources/queuefleet.yaml': yaml({
      datasources: [{
        name: 'Prometheus',
        type: 'prometheus',
        uid: 'queuefleet-prometheus',
        access: 'proxy',
        url: provisioning.prometheusURL,
        isDefault: true,
        // $__rate_interval is four of these.
        jsonData: { timeInterval: config.scrapeInterval, httpMethod: 'POST' },
      }] + (if config.alertmanagerURL == '' then [] else [{
              name: 'Alertmanager',
              type: 'alertmanager',
              uid: 'queuefleet-alertmanager',
              access: 'proxy',
              url: config.alertmanagerURL,
              jsonData: { implementation: 'prometheus' },
            }]),
    }),
    'grafana/provisioning/dashboards/queuefleet.yaml': yaml({
      providers: [{
        name: 'queuefleet',
        type: 'file',
        folder: provisioning.folder,
        disableDeletion: false,
        allowUiUpdates: false,
        options: { path: provisioning.path },
      }],
    }),
  }
