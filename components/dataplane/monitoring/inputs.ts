import type * as pulumi from "@pulumi/pulumi";
import { at, checkedField, type InputPlace, refuse } from "../../refusal/refusal.ts";
import { requireLabelKey, requireLabels } from "../../values/labels.ts";
import { requireLabel, requireObjectName } from "../../values/names.ts";
import { requireOwnLabels } from "../agent-pods-inputs.ts";
import { MetricsAddress } from "../args.ts";
import type { MetricsAccess, Monitoring, SecretKey } from "./args.ts";

type Texts = Record<string, pulumi.Input<string>>;

/** Refuses what the API server, the Prometheus Operator or an agent would refuse, and monitors of metrics that no client can reach. */
export function requireMonitoring(place: InputPlace, monitoring: Monitoring, address?: MetricsAddress): Monitoring {
  const { access, service, podMonitor, serviceMonitor, prometheusRule, dashboards } = monitoring;
  if (podMonitor && serviceMonitor)
    refuse(at(place, "serviceMonitor"), "given beside podMonitor", "left out: each agent would be scraped twice");
  const scraped = Object.entries({ podMonitor, serviceMonitor, service }).find(([, given]) => given);
  if (scraped && (address ?? MetricsAddress.Loopback) === MetricsAddress.Loopback)
    refuse(
      { ...place, path: "metricsAddress" },
      address,
      `"${MetricsAddress.Node}" or "${MetricsAddress.Any}" beside ${at(place, scraped[0]).path}: no other computer reaches the metrics at 127.0.0.1`,
    );
  return {
    ...(access && { access: requireAccess(at(place, "access"), access) }),
    ...(service && {
      service: {
        ...checkedField(at(place, "service"), "labels", service.labels, requireOwnLabels),
        ...checkedField(at(place, "service"), "annotations", service.annotations, requireKeys),
      },
    }),
    ...(podMonitor && { podMonitor: requirePlaced(at(place, "podMonitor"), podMonitor) }),
    ...(serviceMonitor && { serviceMonitor: requirePlaced(at(place, "serviceMonitor"), serviceMonitor) }),
    ...(prometheusRule && { prometheusRule: requirePlaced(at(place, "prometheusRule"), prometheusRule) }),
    ...(dashboards && {
      dashboards: {
        ...dashboards,
        ...checkedField(at(place, "dashboards"), "namespace", dashboards.namespace, requireLabel),
        ...checkedField(at(place, "dashboards"), "labels", dashboards.labels, requireLabels<Texts>),
      },
    }),
  };
}

function requireAccess(place: InputPlace, { tls, bearerTokenSecret }: MetricsAccess): MetricsAccess {
  if (bearerTokenSecret && !tls)
    refuse(at(place, "tls"), tls, "given beside bearerTokenSecret: without it everybody on the way reads the token");
  return {
    ...(tls && {
      tls: {
        ...checkedField(at(place, "tls"), "serverName", tls.serverName, requireObjectName),
        ...(checkedField(at(place, "tls"), "secretName", tls.secretName, requireObjectName) as Required<
          Pick<NonNullable<MetricsAccess["tls"]>, "secretName">
        >),
      },
    }),
    ...(bearerTokenSecret && {
      bearerTokenSecret: {
        ...bearerTokenSecret,
        ...checkedField(at(place, "bearerTokenSecret"), "name", bearerTokenSecret.name, requireObjectName),
        ...checkedField(at(place, "bearerTokenSecret"), "key", bearerTokenSecret.key, requireSecretKey),
      } as SecretKey,
    }),
  };
}

function requirePlaced<Placed extends { labels?: pulumi.Input<Texts>; namespace?: pulumi.Input<string> }>(
  place: InputPlace,
  placed: Placed & { interval?: pulumi.Input<string> },
): Placed {
  return {
    ...placed,
    ...checkedField(place, "labels", placed.labels, requireOwnLabels),
    ...checkedField(place, "namespace", placed.namespace, requireLabel),
    ...checkedField(place, "interval", placed.interval, requireInterval),
  };
}

function requireKeys(place: InputPlace, annotations: Texts): Texts {
  for (const key of Object.keys(annotations)) requireLabelKey(place, key);
  return annotations;
}

const requireSecretKey = (place: InputPlace, key: string): string =>
  /^[-._a-zA-Z0-9]{1,253}$/.test(key) ? key : refuse(place, key, 'a key of a Secret, like "token"');

/** A duration of Prometheus, above 0. */
const INTERVAL = /^(?=.*[1-9])((\d+)y)?((\d+)w)?((\d+)d)?((\d+)h)?((\d+)m)?((\d+)s)?((\d+)ms)?$/;

const requireInterval = (place: InputPlace, interval: string): string =>
  INTERVAL.test(interval) ? interval : refuse(place, interval, 'a duration of Prometheus, like "30s" or "1m"');
