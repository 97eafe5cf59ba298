{{/*
Custom Metrics: Istio's Prometheus metrics, scraped by the sensor, by an agent or by somebody's operator. One table of jobs
(files/istio-metrics-jobs.yaml) and one set of values (`metrics`) for all three.
*/}}

{{/* How metrics are collected: sensor, agent, monitors; empty when they are not. */}}
{{- define "groundcover-sensor.metricsMode" -}}
{{- if .Values.metrics.enabled -}}
{{- .Values.metrics.mode -}}
{{- end -}}
{{- end -}}

{{/*
The jobs that are on, in JSON: the entries of the table, each with `relabel`, `metricRelabel` and `series`, in Prometheus'
spelling and without what the values add. Call it by this name; it is made once.
*/}}
{{- define "groundcover-sensor.metricsJobs" -}}
{{- include "groundcover-sensor.once" (list . "metricsJobs") -}}
{{- end -}}

{{- define "groundcover-sensor.metricsJobs.make" -}}
{{- $metrics := .Values.metrics -}}
{{- $series := list -}}
{{- with concat ($metrics.keep | default list) ($metrics.extraKeep | default list) -}}
{{- $series = append $series (dict "source_labels" (list "__name__") "action" "keep" "regex" (join "|" .)) -}}
{{- end -}}
{{- with $metrics.drop -}}
{{- $series = append $series (dict "source_labels" (list "__name__") "action" "drop" "regex" (join "|" .)) -}}
{{- end -}}
{{- $jobs := list -}}
{{- range .Files.Get "files/istio-metrics-jobs.yaml" | fromYamlArray -}}
{{- if (get ($metrics.jobs | default dict) .value | default dict).enabled -}}
{{- $targets := .targets -}}
{{- if and (eq .value "proxies") (eq (dig "proxies" "endpoint" "" $metrics.jobs) "merged") -}}
{{- $targets = append $targets (dict "source_labels" (list "__address__") "regex" "(.+):15090" "replacement" "$1:15020" "target_label" "__address__") -}}
{{- end -}}
{{- /* Pods that ended keep their address for a while. */ -}}
{{- $labels := list (dict "source_labels" (list "__meta_kubernetes_pod_phase") "action" "drop" "regex" "Failed|Succeeded") -}}
{{- /* Not every label of the pod: pod-template-hash alone would make all series new with each rollout. */ -}}
{{- range $target, $source := dict
      "namespace" "namespace" "pod" "pod_name" "container" "pod_container_name" "node" "pod_node_name"
      "app" "pod_label_app" "version" "pod_label_version" "revision" "pod_label_istio_io_rev" -}}
{{- $labels = append $labels (dict "source_labels" (list (printf "__meta_kubernetes_%s" $source)) "target_label" $target) -}}
{{- end -}}
{{- $labels = append $labels (dict "replacement" .job "target_label" "job") -}}
{{- $jobs = append $jobs (merge (dict
      "targets" $targets
      "labels" (concat $labels ($metrics.relabelings | default list))
      "series" (concat $series ($metrics.metricRelabelings | default list))) .) -}}
{{- end -}}
{{- end -}}
{{- toJson $jobs -}}
{{- end -}}

{{/*
The scrape configuration, as YAML. Every job discovers pods: the sensor, which runs on every node, limits that one role to its
own node, and any other would be scraped by every sensor.
*/}}
{{- define "groundcover-sensor.scrapeConfig" -}}
{{- $metrics := .Values.metrics -}}
{{- $configs := list -}}
{{- range include "groundcover-sensor.metricsJobs" . | fromJsonArray -}}
{{- $config := dict
      "job_name" .job
      "metrics_path" .path
      "scrape_interval" $metrics.interval
      "scrape_timeout" $metrics.timeout
      "kubernetes_sd_configs" (list (dict "role" "pod"))
      "relabel_configs" (concat .targets .labels) -}}
{{- if $metrics.sampleLimit -}}
{{- $_ := set $config "sample_limit" (int64 $metrics.sampleLimit) -}}
{{- end -}}
{{- with .series -}}
{{- $_ := set $config "metric_relabel_configs" . -}}
{{- end -}}
{{- $configs = append $configs $config -}}
{{- end -}}
{{- with $metrics.extraScrapeConfigs -}}
{{- $configs = concat $configs (include "groundcover-sensor.tplYaml" (list $ .) | fromYamlArray) -}}
{{- end -}}
{{- dict "global" (dict "scrape_interval" $metrics.interval "scrape_timeout" $metrics.timeout) "scrape_configs" $configs | toYaml -}}
{{- end -}}

{{/* What the sensor's scraper is given: the jobs in mode sensor, else nothing to do. */}}
{{- define "groundcover-sensor.sensorScrapeConfig" -}}
{{- if eq (include "groundcover-sensor.metricsMode" .) "sensor" -}}
{{- include "groundcover-sensor.scrapeConfig" . -}}
{{- else -}}
{{- .Files.Get "files/metrics-scrape-config.yaml" | trim -}}
{{- end -}}
{{- end -}}

{{/*
What the agent has to read, beside pods, for the discovery roles of extraScrapeConfigs: RBAC rules, in JSON, empty when there is
nothing more. A subchart can't see its parent's values, so the parent grants it.
*/}}
{{- define "groundcover-sensor.agentRules" -}}
{{- include "groundcover-sensor.once" (list . "agentRules") -}}
{{- end -}}

{{- define "groundcover-sensor.agentRules.make" -}}
{{- $agent := index .Values "istio-metrics" | default dict -}}
{{- $found := dict -}}
{{- $own := not (dig "configMap" "" $agent) -}}
{{- if and (eq (include "groundcover-sensor.metricsMode" .) "agent") $own (dig "enabled" false $agent) (ne (include "groundcover-sensor.at" (list (dict "agent" $agent) "agent.rbac.create") | fromJson).value false) -}}
{{- $needs := dict
      "node" (list "/nodes")
      "service" (list "/services")
      "endpoints" (list "/endpoints" "/services")
      "endpointslice" (list "discovery.k8s.io/endpointslices" "/services")
      "endpointslices" (list "discovery.k8s.io/endpointslices" "/services")
      "ingress" (list "networking.k8s.io/ingresses") -}}
{{- range (include "groundcover-sensor.tplYaml" (list $ (.Values.metrics.extraScrapeConfigs | default list)) | fromYamlArray) -}}
{{- $discovery := (include "groundcover-sensor.at" (list . "kubernetes_sd_configs") | fromJson).value -}}
{{- range ternary $discovery list (kindIs "slice" $discovery) -}}
{{- $resources := get $needs ((include "groundcover-sensor.at" (list . "role") | fromJson).value | toString) | default list -}}
{{- if (include "groundcover-sensor.at" (list . "attach_metadata.node") | fromJson).value -}}
{{- $resources = append $resources "/nodes" -}}
{{- end -}}
{{- range $resources -}}
{{- $group := dir . | trimSuffix "/" -}}
{{- $_ := set $found $group (append (get $found $group | default list) (base .) | uniq | sortAlpha) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $rules := list -}}
{{- range $group, $resources := $found -}}
{{- $rules = append $rules (dict "apiGroups" (list $group) "resources" $resources "verbs" (list "get" "list" "watch")) -}}
{{- end -}}
{{- toJson $rules -}}
{{- end -}}

{{/* Relabelling rules in an operator's spelling, as JSON. Call with a list of rules in Prometheus' spelling. */}}
{{- define "groundcover-sensor.operatorRules" -}}
{{- $rules := list -}}
{{- range . -}}
{{- $rule := omit . "source_labels" "target_label" -}}
{{- with .source_labels -}}
{{- $_ := set $rule "sourceLabels" . -}}
{{- end -}}
{{- with .target_label -}}
{{- $_ := set $rule "targetLabel" . -}}
{{- end -}}
{{- $rules = append $rules $rule -}}
{{- end -}}
{{- toJson $rules -}}
{{- end -}}

{{/* Monitors of one kind as YAML documents. Call: (list $ "Pod") or (list $ "Service"). */}}
{{- define "groundcover-sensor.monitors" -}}
{{- $root := index . 0 -}}
{{- $kind := index . 1 -}}
{{- $metrics := $root.Values.metrics -}}
{{- $monitors := $metrics.monitors -}}
{{- $victoria := eq $monitors.api "operator.victoriametrics.com/v1beta1" -}}
{{- range include "groundcover-sensor.metricsJobs" $root | fromJsonArray -}}
{{- if eq .monitor.kind $kind -}}
{{- $targets := ternary .targets (list) (default false .monitor.targets) -}}
{{- $relabel := include "groundcover-sensor.operatorRules" (concat $targets .labels) | fromJsonArray -}}
{{- $series := include "groundcover-sensor.operatorRules" .series | fromJsonArray -}}
{{- $endpoint := dict "path" .path "interval" $metrics.interval "scrapeTimeout" $metrics.timeout -}}
{{- $_ := set $endpoint (ternary "relabelConfigs" "relabelings" $victoria) $relabel -}}
{{- with $series -}}
{{- $_ := set $endpoint (ternary "metricRelabelConfigs" "metricRelabelings" $victoria) . -}}
{{- end -}}
{{- with .monitor.port -}}
{{- $_ := set $endpoint "port" . -}}
{{- end -}}
{{- include "groundcover-sensor.mergeInto" (list $endpoint ($monitors.endpoint | default dict)) -}}
{{- $spec := dict "namespaceSelector" (dict "any" true) "selector" .monitor.selector -}}
{{- $_ := set $spec (ternary "podMetricsEndpoints" "endpoints" (eq $kind "Pod")) (list $endpoint) -}}
{{- with $metrics.sampleLimit -}}
{{- $_ := set $spec "sampleLimit" (int64 .) -}}
{{- end -}}
{{- include "groundcover-sensor.mergeInto" (list $spec ($monitors.spec | default dict)) }}
---
apiVersion: {{ $monitors.api }}
kind: {{ ternary (printf "VM%sScrape" $kind) (printf "%sMonitor" $kind) $victoria }}
metadata:
  name: {{ printf "%s-%s" (include "groundcover-sensor.fullname" $root) .job | trunc 253 | quote }}
  namespace: {{ $monitors.namespace | default (include "groundcover-sensor.namespace" $root) | quote }}
  labels:
    {{- /* The user's win: an operator selects by them, and nothing of the chart does. */ -}}
    {{- $labels := include "groundcover-sensor.labels" (list $root "metrics" "sensor" dict) | fromYaml }}
    {{- toYaml (merge (include "groundcover-sensor.withoutNulls" $monitors.labels | fromJson) $labels) | nindent 4 }}
  {{- with include "groundcover-sensor.withoutNulls" $monitors.annotations | fromJson }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- toYaml $spec | nindent 2 }}
{{- end -}}
{{- end -}}
{{- end -}}
