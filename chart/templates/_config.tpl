{{/*
What the sensor is told: its receivers, its config.yaml, its environment, and the integration document.
*/}}

{{/*
Makes something once per release: the root context is one map for all templates of a chart, so what the first one makes is
kept there for the others. Call: (list $ NAME); gives what the helper "groundcover-sensor.NAME.make" gives.
*/}}
{{- define "groundcover-sensor.once" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- if not (hasKey $root "groundcoverSensor") -}}
{{- $_ := set $root "groundcoverSensor" dict -}}
{{- end -}}
{{- if not (hasKey $root.groundcoverSensor $name) -}}
{{- $_ := set $root.groundcoverSensor $name (include (printf "groundcover-sensor.%s.make" $name) $root) -}}
{{- end -}}
{{- get $root.groundcoverSensor $name -}}
{{- end -}}

{{/* files/receivers.yaml, in JSON. */}}
{{- define "groundcover-sensor.receivers" -}}
{{- include "groundcover-sensor.once" (list . "receivers") -}}
{{- end -}}

{{- define "groundcover-sensor.receivers.make" -}}
{{- .Files.Get "files/receivers.yaml" | fromYamlArray | toJson -}}
{{- end -}}

{{/*
Ports of the receivers that are on, in JSON, in the order of files/receivers.yaml:
[{"receiver", "port", "service", "container", "protocol", "appProtocol"?, "role"?}, …]
*/}}
{{- define "groundcover-sensor.ports" -}}
{{- include "groundcover-sensor.once" (list . "ports") -}}
{{- end -}}

{{- define "groundcover-sensor.ports.make" -}}
{{- $ports := list -}}
{{- range include "groundcover-sensor.receivers" $ | fromJsonArray -}}
{{- $receiver := .receiver -}}
{{- $values := get $.Values.receivers $receiver | default dict -}}
{{- if $values.enabled -}}
{{- range .ports -}}
{{- $ports = append $ports (merge (dict "receiver" $receiver "key" (printf "receivers.%s.%s" $receiver .value) "port" (get $values .value | int64)) (omit . "value" "config")) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $ports -}}
{{- end -}}

{{/* Writes a value into nested maps. Call: (list MAP "a.b.c" VALUE); gives nothing, changes MAP. */}}
{{- define "groundcover-sensor.setPath" -}}
{{- $map := index . 0 -}}
{{- $keys := splitList "." (index . 1) -}}
{{- range initial $keys -}}
{{- if not (kindIs "map" (get $map .)) -}}
{{- $_ := set $map . dict -}}
{{- end -}}
{{- $map = get $map . -}}
{{- end -}}
{{- $_ := set $map (last $keys) (index . 2) -}}
{{- end -}}

{{/*
Merges a map over another. Call: (list BASE OVER); gives nothing, changes BASE. Unlike mergeOverwrite it honours false, 0,
"" and empty lists, and a null takes the key away. Lists replace lists.
*/}}
{{- define "groundcover-sensor.mergeInto" -}}
{{- $base := index . 0 -}}
{{- range $key, $value := index . 1 -}}
{{- if kindIs "invalid" $value -}}
{{- $_ := unset $base $key -}}
{{- else if and (kindIs "map" $value) (kindIs "map" (get $base $key)) -}}
{{- include "groundcover-sensor.mergeInto" (list (get $base $key) $value) -}}
{{- else -}}
{{- $_ := set $base $key $value -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
Reads a value out of nested maps, as JSON {"value": …}; null when it, or a map on the
way, is not there. Call: (list MAP "a.b.c").
*/}}
{{- define "groundcover-sensor.at" -}}
{{- $value := index . 0 -}}
{{- range splitList "." (index . 1) -}}
{{- $value = ternary (get (ternary $value dict (kindIs "map" $value)) .) nil (kindIs "map" $value) -}}
{{- end -}}
{{- /* get gives "" for a key that is not there. */ -}}
{{- dict "value" (ternary nil $value (eq (toString $value) "")) | toJson -}}
{{- end -}}

{{/*
Paths where one map has a map and the other, merged over it, has something else: one per line. Call: (list BASE OVER PATH).
*/}}
{{- define "groundcover-sensor.clashes" -}}
{{- $base := index . 0 -}}
{{- $path := index . 2 -}}
{{- range $key, $value := index . 1 -}}
{{- $old := get $base $key -}}
{{- if and (kindIs "map" $old) (kindIs "map" $value) -}}
{{- include "groundcover-sensor.clashes" (list $old $value (printf "%s.%s" $path $key)) -}}
{{- else if and (kindIs "map" $old) (not (kindIs "invalid" $value)) -}}
{{- printf "%s.%s\n" $path $key -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
The sampling ratio that the sensor's configuration ends up with, as JSON {"value": …}, without making all of it. Call:
(list $ "otel") or (list $ "datadog").
*/}}
{{- define "groundcover-sensor.samplingRatio" -}}
{{- $root := index . 0 -}}
{{- $family := get (dict "otel" "apmIngestor.otel.direct" "datadog" "apmIngestor.dataDog") (index . 1) -}}
{{- $own := (include "groundcover-sensor.at" (list ($root.Values.sensor.config | default dict) $family) | fromJson).value -}}
{{- if and (kindIs "map" $own) (hasKey (ternary $own dict (kindIs "map" $own)) "samplingRatio") -}}
{{- dict "value" $own.samplingRatio | toJson -}}
{{- else -}}
{{- dict "value" (get $root.Values.sensor.samplingRatio (index . 1)) | toJson -}}
{{- end -}}
{{- end -}}

{{/* The sensor's config.yaml, in JSON: the static defaults, what the values decide, then sensor.config. */}}
{{- define "groundcover-sensor.config" -}}
{{- include "groundcover-sensor.once" (list . "config") -}}
{{- end -}}

{{- define "groundcover-sensor.config.make" -}}
{{- if .Values.sensor.config -}}
{{- $config := include "groundcover-sensor.configDefaults" . | fromJson -}}
{{- include "groundcover-sensor.mergeInto" (list $config .Values.sensor.config) -}}
{{- toJson $config -}}
{{- else -}}
{{- include "groundcover-sensor.configDefaults" . -}}
{{- end -}}
{{- end -}}

{{/* The same without sensor.config. */}}
{{- define "groundcover-sensor.configDefaults" -}}
{{- include "groundcover-sensor.once" (list . "configDefaults") -}}
{{- end -}}

{{- define "groundcover-sensor.configDefaults.make" -}}
{{- $config := .Files.Get "files/sensor-config.yaml" | fromYaml -}}
{{- $site := include "groundcover-sensor.site" . -}}
{{- $tls := .Values.ingestion.tls -}}
{{- $files := dict "tlsCertFile" ($tls.certFile | default "") "tlsKeyFile" ($tls.keyFile | default "") "tlsCAFile" ($tls.caFile | default "") -}}

{{- $computed := dict "clusterId" (.Values.clusterId | default "") "region" (.Values.region | default "") "env" (.Values.env | default "") "envType" "k8s" -}}

{{- /* Receivers. */ -}}
{{- range include "groundcover-sensor.receivers" . | fromJsonArray -}}
{{- $values := get $.Values.receivers .receiver | default dict -}}
{{- $path := .config -}}
{{- include "groundcover-sensor.setPath" (list $computed (printf "%s.enabled" $path) ($values.enabled | default false)) -}}
{{- range .ports -}}
{{- include "groundcover-sensor.setPath" (list $computed (printf "%s.%s" $path .config) (get $values .value | int64)) -}}
{{- end -}}
{{- end -}}
{{- include "groundcover-sensor.setPath" (list $computed "apmIngestor.otel.direct.samplingRatio" .Values.sensor.samplingRatio.otel) -}}
{{- include "groundcover-sensor.setPath" (list $computed "apmIngestor.dataDog.samplingRatio" .Values.sensor.samplingRatio.datadog) -}}

{{- include "groundcover-sensor.setPath" (list $computed "receivers.metricsscraper.enabled" (eq (include "groundcover-sensor.metricsMode" .) "sensor")) -}}

{{- /* Where data goes. */ -}}
{{- $otlp := merge (dict "compression" .Values.ingestion.compression "insecureSkipVerify" $tls.insecureSkipVerify "writeTimeout" "10s"
      "maxIdleConns" 100 "maxIdleConnsPerHost" 100 "idleConnTimeout" "90s") $files -}}
{{- $traces := merge (dict "endpoint" (printf "https://%s/ingest/v2/otlp/traces-as-logs" $site) "maxSpansPerMarshal" 300) $otlp -}}
{{- $logs := merge (dict "endpoint" (printf "https://%s/ingest/v2/otlp/logs" $site)) $otlp -}}
{{- $custom := merge (dict "endpoint" (printf "https://%s/ingest/v2/otlp/custom" $site)) $otlp -}}
{{- $_ := set $computed "tracesOtlpEndpoint" $traces -}}
{{- $_ := set $computed "logsOtlpEndpoint" $logs -}}
{{- $_ := set $computed "customOtlpEndpoint" $custom -}}
{{- include "groundcover-sensor.setPath" (list $computed "apmIngestor.tracesOtlpEndpoint" (deepCopy $traces)) -}}
{{- include "groundcover-sensor.setPath" (list $computed "apmIngestor.logsOtlpEndpoint" (deepCopy $logs)) -}}
{{- include "groundcover-sensor.setPath" (list $computed "exporters.remotewrite" (merge (dict
      "url" (printf "https://metrics-http.%s/api/v1/write" $site)
      "tlsSkipVerify" $tls.insecureSkipVerify) $files)) -}}
{{- $_ := set $computed "fleetClientConfig" (merge (dict
      "enabled" .Values.ingestion.remoteConfig
      "url" (printf "https://%s/fleet-manager/api/client/v2/config" $site)
      "insecureSkipVerify" $tls.insecureSkipVerify) $files) -}}

{{- /* What the sensor tells about itself. */ -}}
{{- $telemetry := .Values.telemetry.enabled | default false -}}
{{- $_ := set $computed "telemetry" (dict "enabled" $telemetry "metrics" (dict
      "localStorage" (dict
        "enabled" $telemetry
        "url" (printf "https://metrics-http.%s/api/v1/import/prometheus" $site)
        "tlsSkipVerify" $tls.insecureSkipVerify)
      "remoteStorage" (dict
        "enabled" (not (or (not $telemetry) (empty .Values.telemetry.remoteUrl)))
        "url" (.Values.telemetry.remoteUrl | default "")))) -}}
{{- $_ := set $computed "pprof" (dict "enabled" $telemetry "pyroscopeUploader" (dict "enabled" $telemetry)) -}}

{{- include "groundcover-sensor.mergeInto" (list $config $computed) -}}
{{- toJson $config -}}
{{- end -}}

{{/* Environment of the sensor, as YAML. A variable of extraEnv replaces the chart's own one of that name. */}}
{{- define "groundcover-sensor.env" -}}
{{- $credentials := include "groundcover-sensor.credentials" . | fromJson -}}
{{- $aiPaths := "/v1/chat/completions,/v1/responses,/v1/messages,/openai/deployments/,/model/,:generateContent,:streamGenerateContent,:rawPredict,:streamRawPredict,:embedContent,:predict" -}}
{{- $field := dict
      "NODE_NAME" "spec.nodeName"
      "HOSTNAME" "spec.nodeName"
      "NODE_IP" "status.hostIP"
      "POD_NAME" "metadata.name"
      "GC_RUNNINGNAMESPACE" "metadata.namespace"
      "GC_GROUNDCOVERVERSION" "metadata.annotations['groundcover_version']" -}}
{{- $plain := dict
      "GC_CLUSTER_ID" (.Values.clusterId | default "")
      "GC_ENV" (.Values.env | default "")
      "GC_REGION" (.Values.region | default "undefined")
      "GC_VERSION" (include "groundcover-sensor.version" .)
      "GC_LISTEN_ADDRESS" .Values.sensor.listenAddress
      "PROMETHEUS_HOST" .Values.sensor.listenAddress
      "PROMETHEUS_PORT" (.Values.selfMetrics.port | int64 | toString)
      "FLORA_PROMETHEUSSERVER_ENABLED" "false"
      "FLORA_SYSTEMINFO_HOSTMOUNTPATH" "/host"
      "FLORA_CONTAINERREPOSITORY_TRACKEDCONTAINERTYPE" "kubernetes"
      "FLORA_NATTRACKER_NATENTRIESMAXSIZE" "131072"
      "FLORA_NETWORKTRACER_CONNECTIONMANAGER_PROTOCOLS_HTTP_UNLIMITEDPAYLOADENDPOINTS" $aiPaths
      "FLORA_NETWORKTRACER_CONNECTIONMANAGER_PROTOCOLS_HTTP2_UNLIMITEDPAYLOADENDPOINTS" $aiPaths -}}
{{- with include "groundcover-sensor.goMemLimit" . -}}
{{- $_ := set $plain "GOMEMLIMIT" . -}}
{{- end -}}
{{- $env := list (dict "name" "API_KEY" "valueFrom" (dict "secretKeyRef" (dict "name" $credentials.secret "key" $credentials.key))) -}}
{{- range $name, $value := $plain -}}
{{- $env = append $env (dict "name" $name "value" $value) -}}
{{- end -}}
{{- range $name, $path := $field -}}
{{- $env = append $env (dict "name" $name "valueFrom" (dict "fieldRef" (dict "fieldPath" $path))) -}}
{{- end -}}
{{- if dig "limits" "memory" "" (.Values.resources | default dict) -}}
{{- $env = append $env (dict "name" "GC_MEMORY_LIMIT_BYTES" "valueFrom" (dict "resourceFieldRef" (dict "containerName" "sensor" "resource" "limits.memory" "divisor" "1"))) -}}
{{- end -}}
{{- $own := list -}}
{{- range .Values.extraEnv -}}
{{- $own = append $own .name -}}
{{- end -}}
{{- $kept := list -}}
{{- range $env -}}
{{- if not (has .name $own) -}}
{{- $kept = append $kept . -}}
{{- end -}}
{{- end -}}
{{- toYaml $kept -}}
{{- with .Values.extraEnv }}
{{ include "groundcover-sensor.tplYaml" (list $ .) -}}
{{- end -}}
{{- end -}}

{{/*
The integration document, in JSON: the `istio` values with everything filled in that only this release knows. It is all
that a post-renderer sees of the values, so nothing secret may get in.
*/}}
{{- define "groundcover-sensor.integration" -}}
{{- include "groundcover-sensor.once" (list . "integration") -}}
{{- end -}}

{{- define "groundcover-sensor.integration.make" -}}
{{- $document := deepCopy (.Values.istio | default dict) -}}

{{- $ports := dict -}}
{{- range include "groundcover-sensor.ports" . | fromJsonArray -}}
{{- if .role -}}
{{- $_ := set $ports .role .port -}}
{{- end -}}
{{- end -}}
{{- $service := dict "name" (include "groundcover-sensor.fullname" .) "namespace" (include "groundcover-sensor.namespace" .) "ports" $ports -}}
{{- include "groundcover-sensor.mergeInto" (list $service (get $document "service" | default dict)) -}}
{{- $_ := set $document "service" $service -}}

{{- $ratio := dict
      "otel" (include "groundcover-sensor.samplingRatio" (list . "otel") | fromJson).value
      "datadog" (include "groundcover-sensor.samplingRatio" (list . "datadog") | fromJson).value -}}
{{- $sensor := dict "samplingRatio" $ratio -}}
{{- include "groundcover-sensor.mergeInto" (list $sensor (get $document "sensor" | default dict)) -}}
{{- $_ := set $document "sensor" $sensor -}}

{{- /* null means "leave the mesh's own", but Helm takes a null key out of the values: say it again. */ -}}
{{- $tracing := get $document "tracing" | default dict -}}
{{- if kindIs "map" (get $tracing "customTags") -}}
{{- $_ := set $tracing "customTags" (include "groundcover-sensor.withoutNulls" $tracing.customTags | fromJson) -}}
{{- end -}}
{{- range list "samplingPercentage" "maxTagLength" -}}
{{- if not (hasKey $tracing .) -}}
{{- $_ := set $tracing . nil -}}
{{- end -}}
{{- end -}}
{{- $_ := set $document "tracing" $tracing -}}
{{- toJson $document -}}
{{- end -}}

{{/*
Facts about tracing for messages and notes, in JSON: {"on", "protocol", "receiver", "role", "ratio", "ratioPath", …}.
*/}}
{{- define "groundcover-sensor.tracing" -}}
{{- include "groundcover-sensor.once" (list . "tracing") -}}
{{- end -}}

{{- define "groundcover-sensor.tracing.make" -}}
{{- $document := include "groundcover-sensor.integration" . | fromJson -}}
{{- $protocol := dig "tracing" "protocol" "otlp-http" $document -}}
{{- $role := get (dict "otlp-http" "otlpHttp" "otlp-grpc" "otlpGrpc" "datadog" "datadog" "zipkin" "zipkin") $protocol -}}
{{- $family := ternary "datadog" "otel" (eq $protocol "datadog") -}}
{{- dict
      "on" (and (dig "enabled" true $document) (dig "tracing" "enabled" true $document))
      "protocol" $protocol
      "receiver" (ternary $protocol "otlp" (has $protocol (list "datadog" "zipkin")))
      "role" $role
      "port" (dig "service" "ports" $role 0 $document)
      "host" (printf "%s.%s.svc.%s" $document.service.name $document.service.namespace (get $document "clusterDomain" | default "cluster.local"))
      "accessLogPort" (dig "service" "ports" "otlpGrpc" 0 $document)
      "percentage" $document.tracing.samplingPercentage
      "ratio" (dig "sensor" "samplingRatio" $family 0.05 $document)
      "ratioPath" (printf "sensor.samplingRatio.%s" $family)
    | toJson -}}
{{- end -}}
