{{/*
Stops the release when a value that the templates can't do without is not there: a message of ours instead of Helm's "nil
pointer evaluating interface {}". Two ways lead there, and a template can't tell them apart: null, by which Helm lets a user
take a default away, and --reuse-values, by which Helm puts the last release's values in the place of this chart's defaults.
The template that Helm renders first calls it, and so does the validation of the rest.
*/}}
{{- define "groundcover-sensor.requireValues" -}}
{{- include "groundcover-sensor.once" (list . "requireValues") -}}
{{- end -}}

{{- define "groundcover-sensor.requireValues.make" -}}
{{- $missing := list -}}
{{- range list
      "existingSecret" "goMemLimitPercent" "hostNetwork" "hostPaths" "hostPaths.tracing" "image" "image.pullPolicy" "image.repository"
      "ingestion" "ingestion.compression" "ingestion.remoteConfig" "ingestion.tls" "ingestion.tls.insecureSkipVerify"
      "istio-metrics" "istio-metrics.enabled" "metrics" "metrics.interval" "metrics.jobs" "metrics.jobs.cni" "metrics.jobs.istiod"
      "metrics.jobs.proxies" "metrics.jobs.ztunnel" "metrics.mode" "metrics.monitors" "metrics.monitors.api" "metrics.timeout"
      "networkPolicy" "openshift" "openshift.scc" "openshift.scc.name" "priorityClass" "priorityClass.preemptionPolicy"
      "priorityClass.value" "probes" "probes.liveness" "probes.readiness" "probes.startup" "rbac" "receivers"
      "receivers.datadog" "receivers.datadog.port" "receivers.firehose" "receivers.firehose.port" "receivers.health"
      "receivers.health.port" "receivers.httpJson" "receivers.httpJson.port" "receivers.jaeger" "receivers.jaeger.grpcPort"
      "receivers.jaeger.thriftBinaryPort" "receivers.jaeger.thriftCompactPort" "receivers.jaeger.thriftHttpPort"
      "receivers.loki" "receivers.loki.port" "receivers.otlp" "receivers.otlp.grpcPort" "receivers.otlp.httpPort"
      "receivers.profiles" "receivers.profiles.port" "receivers.prometheusImport" "receivers.prometheusImport.port"
      "receivers.remoteWrite" "receivers.remoteWrite.port" "receivers.rum" "receivers.rum.port" "receivers.statsd"
      "receivers.statsd.port" "receivers.zipkin" "receivers.zipkin.port" "revisionHistoryLimit" "securityContext"
      "securityContext.capabilities" "securityContext.extraCapabilities" "securityContext.mode" "selfMetrics" "selfMetrics.port"
      "sensor" "sensor.listenAddress" "sensor.samplingRatio" "sensor.samplingRatio.datadog" "sensor.samplingRatio.otel" "service"
      "serviceAccount" "telemetry" "terminationGracePeriodSeconds" "tests" "tests.image" "tests.image.pullPolicy"
      "tests.image.repository" "updateStrategy" -}}
{{- $value := $.Values -}}
{{- range splitList "." . -}}
{{- $value = index (ternary $value dict (kindIs "map" $value)) . -}}
{{- end -}}
{{- if kindIs "invalid" $value -}}
{{- $missing = append $missing . -}}
{{- end -}}
{{- end -}}
{{- with $missing -}}
{{- fail (printf "\n\nThe chart groundcover-sensor can't work without: %s.\nWhere your values say null, take the null out, and the default is back. Where they don't, the last release was made by a chart\nwithout these values, and --reuse-values leaves their defaults out: upgrade with --reset-then-reuse-values (Helm 3.14) instead.\n" (join ", " .)) -}}
{{- end -}}
{{- end -}}

{{/*
Everything that is wrong with the values, in one message. Each problem names the value, what was found and what to set.
Helm's schema check has run before: types and spelling are right here.
*/}}
{{- define "groundcover-sensor.validate" -}}
{{- include "groundcover-sensor.requireValues" . -}}
{{- $problems := list -}}
{{- $global := .Values.global | default dict -}}

{{- /* --- required --- */ -}}
{{- if not .Values.clusterId -}}
{{- $problems = append $problems "clusterId is empty: the sensor needs the name this cluster has in groundcover. Set:\n  clusterId: my-cluster" -}}
{{- end -}}

{{- $site := include "groundcover-sensor.site" . -}}
{{- $sitePath := ternary "ingestion.site" "global.ingress.site" (not (empty .Values.ingestion.site)) -}}
{{- if not $site -}}
{{- $problems = append $problems "ingestion.site is empty: the sensor sends to your own groundcover site and there is none it could assume. It is the host of the endpoint that groundcover shows under Settings > Access > Ingestion Keys. Set:\n  ingestion:\n    site: <tenant>.platform.grcv.io" -}}
{{- else if not (regexMatch "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$" $site) -}}
{{- $bare := regexReplaceAll "[/:?#].*$" (regexReplaceAll "^[a-zA-Z]+://" $site "") "" | lower -}}
{{- $shape := ternary (printf "ingestion:\n    site: %s" ($bare | default "<tenant>.platform.grcv.io")) (printf "global:\n    ingress:\n      site: %s" ($bare | default "<tenant>.platform.grcv.io")) (eq $sitePath "ingestion.site") -}}
{{- $problems = append $problems (printf "%s is %q: it must be a bare host name, without scheme, port or path. Set:\n  %s" $sitePath $site $shape) -}}
{{- end -}}

{{- /* --- credentials --- */ -}}
{{- $predefined := get $global "groundcoverPredefinedTokenSecret" | default dict -}}
{{- $tokens := list -}}
{{- if trim (.Values.token | default "") -}}{{- $tokens = append $tokens "token" -}}{{- end -}}
{{- if trim (get $global "groundcover_token" | default "") -}}{{- $tokens = append $tokens "global.groundcover_token" -}}{{- end -}}
{{- $secrets := list -}}
{{- if .Values.existingSecret.name -}}{{- $secrets = append $secrets "existingSecret.name" -}}{{- end -}}
{{- if get $predefined "secretName" -}}{{- $secrets = append $secrets "global.groundcoverPredefinedTokenSecret.secretName" -}}{{- end -}}
{{- if and $tokens $secrets -}}
{{- $problems = append $problems (printf "%s and %s are both set: only one can hold the ingestion key, and which one would be a guess. Keep the Secret and set:\n  %s" (join " and " $tokens) (join " and " $secrets) (ternary "token: \"\"" "global:\n    groundcover_token: \"\"" (has "token" $tokens))) -}}
{{- else if not (or $tokens $secrets) -}}
{{- $problems = append $problems "token and existingSecret.name are both empty: the sensor needs an ingestion key of type Sensor (groundcover: Settings > Access > Ingestion Keys). Set the key itself:\n  token: <ingestion key>\nor a Secret that holds it:\n  existingSecret:\n    name: groundcover-token\n    key: API_KEY" -}}
{{- end -}}

{{- /* --- names and labels --- */ -}}
{{- $fullname := include "groundcover-sensor.fullname" . -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $fullname) -}}
{{- $problems = append $problems (printf "the release name %q makes the Service name %q, and a Service's name must start with a letter. Set:\n  fullnameOverride: groundcover-sensor" .Release.Name $fullname) -}}
{{- end -}}
{{- if and (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) .Values.rbac.create -}}
{{- $problems = append $problems "serviceAccount.create is false and serviceAccount.name is empty: the sensor's rights would go to the namespace's default account, and so to every other pod there. Set:\n  serviceAccount:\n    name: <an account of the sensor's own>" -}}
{{- end -}}
{{- $agent := index .Values "istio-metrics" -}}
{{- $labelled := dict "commonLabels" .Values.commonLabels "podLabels" .Values.podLabels "service.labels" .Values.service.labels -}}
{{- if $agent.enabled -}}
{{- $_ := set $labelled "istio-metrics.commonLabels" $agent.commonLabels -}}
{{- $_ := set $labelled "istio-metrics.podLabels" $agent.podLabels -}}
{{- end -}}
{{- range $path, $labels := $labelled -}}
{{- $labels = include "groundcover-sensor.withoutNulls" $labels | fromJson -}}
{{- $nested := replace "." ":\n    " $path -}}
{{- $indent := ternary "      " "    " (contains "." $path) -}}
{{- $keys := list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component" "app.kubernetes.io/part-of" "app.kubernetes.io/version" -}}
{{- if not (hasSuffix "podLabels" $path) -}}
{{- $keys = concat $keys (list "app.kubernetes.io/managed-by" "helm.sh/chart") -}}
{{- end -}}
{{- range $key := $keys -}}
{{- if hasKey $labels $key -}}
{{- $problems = append $problems (printf "%s has %s: the chart sets that label itself, since Helm, selectors and the post-renderer rely on it. Use a key of your own:\n  %s:\n%sexample.com/%s: %v" $path $key $nested $indent (base $key) (get $labels $key)) -}}
{{- end -}}
{{- end -}}
{{- $prefix := ternary "istio-metrics." "" (hasPrefix "istio-metrics." $path) -}}
{{- range $key, $switch := dict "sidecar.istio.io/inject" "optOutSidecar" "istio.io/dataplane-mode" "optOutAmbient" -}}
{{- $on := ne (toString (include "groundcover-sensor.at" (list (ternary $agent $.Values (ne $prefix "")) (printf "mesh.%s" $switch)) | fromJson).value) "false" -}}
{{- if and (hasKey $labels $key) $on (ne $path "service.labels") -}}
{{- $problems = append $problems (printf "%s has %s: %v while %smesh.%s is true, which sets the same label. To decide it yourself, set:\n  %smesh:\n%s%s: false" $path $key (get $labels $key) $prefix $switch (replace "." ":\n    " $prefix) (ternary "      " "    " (ne $prefix "")) $switch) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* --- images --- */ -}}
{{- $registry := get $global "imageRegistry" | default "" -}}
{{- if not (regexMatch "^([A-Za-z0-9][-._A-Za-z0-9]*(:[0-9]+)?(/[A-Za-z0-9][-._A-Za-z0-9]*)*)?$" $registry) -}}
{{- $problems = append $problems (printf "global.imageRegistry is %q: it stands before the repository of each image, so it must be a host, with a port and a path where there are any, without scheme and without a slash at the end. Set:\n  global:\n    imageRegistry: %s" $registry (regexReplaceAll "^[a-zA-Z]+://" $registry "" | trimAll "/" | default "registry.example.com")) -}}
{{- end -}}

{{- /* --- Service --- */ -}}
{{- with .Values.service.trafficDistribution -}}
{{- if eq $.Values.service.internalTrafficPolicy "Local" -}}
{{- $problems = append $problems (printf "service.trafficDistribution is %q and service.internalTrafficPolicy is \"Local\": Local already forbids every other node, so the preference could do nothing. Set one of them to empty:\n  service:\n    internalTrafficPolicy: \"\"" .) -}}
{{- end -}}
{{- $since := ternary "1.31" "1.34" (eq . "PreferClose") -}}
{{- if semverCompare (printf "<%s-0" $since) $.Capabilities.KubeVersion.Version -}}
{{- $problems = append $problems (printf "service.trafficDistribution is %q: it needs Kubernetes %s and this is %s. Set:\n  service:\n    trafficDistribution: \"\"\nor, where Helm renders without the cluster (helm template) and takes a version of its own, tell it the cluster's:\n  --kube-version %s.0" . $since $.Capabilities.KubeVersion.Version $since) -}}
{{- end -}}
{{- end -}}

{{- /* --- scheduling --- */ -}}
{{- $class := include "groundcover-sensor.priorityClassName" . -}}
{{- if and .Values.priorityClass.create (hasPrefix "system-" $class) -}}
{{- $problems = append $problems (printf "priorityClass.name is %q and priorityClass.create is true: Kubernetes keeps names that begin with system- to itself. For the one that exists, set:\n  priorityClass:\n    create: false\n    name: %s\nor, for one of the sensor's own, another priorityClass.name" $class $class) -}}
{{- end -}}
{{- $rolling := (include "groundcover-sensor.at" (list .Values.updateStrategy "rollingUpdate") | fromJson).value -}}
{{- if and (kindIs "map" $rolling) (ne (.Values.updateStrategy.type | default "RollingUpdate" | toString) "OnDelete") -}}
{{- $surge := $rolling.maxSurge | default 0 | toString -}}
{{- $unavailable := ternary $rolling.maxUnavailable 1 (hasKey $rolling "maxUnavailable") | toString -}}
{{- $none := list "0" "0%" -}}
{{- if and (not (has $surge $none)) (not (has $unavailable $none)) -}}
{{- $problems = append $problems (printf "updateStrategy.rollingUpdate has maxSurge %s and maxUnavailable %s, which may be the chart's default: Kubernetes takes one of the two only. Set:\n  updateStrategy:\n    rollingUpdate:\n      maxSurge: %s\n      maxUnavailable: 0" $surge $unavailable $surge) -}}
{{- else if and (has $surge $none) (has $unavailable $none) -}}
{{- $problems = append $problems "updateStrategy.rollingUpdate has maxSurge 0 and maxUnavailable 0: no pod could ever be replaced, and Kubernetes refuses it. Set:\n  updateStrategy:\n    rollingUpdate:\n      maxSurge: 0\n      maxUnavailable: 1" -}}
{{- else if and .Values.hostNetwork (not (has $surge $none)) -}}
{{- $problems = append $problems (printf "updateStrategy.rollingUpdate.maxSurge is %s and hostNetwork is true: the new sensor can't listen on the node's ports while the old one does. Set:\n  updateStrategy:\n    rollingUpdate:\n      maxSurge: 0\n      maxUnavailable: 1" $surge) -}}
{{- end -}}
{{- end -}}

{{- /* --- receivers --- */ -}}
{{- $ports := include "groundcover-sensor.ports" . | fromJsonArray -}}
{{- if not $ports -}}
{{- $problems = append $problems "receivers are all off: a Service without a port can't be made. Turn on at least:\n  receivers:\n    health:\n      enabled: true" -}}
{{- end -}}
{{- $taken := dict (printf "%d/TCP" (int64 .Values.selfMetrics.port)) "selfMetrics.port" -}}
{{- if .Values.receivers.datadog.enabled -}}
{{- $inner := (include "groundcover-sensor.at" (list (include "groundcover-sensor.configDefaults" . | fromJson) "apmIngestor.dataDog.innerPort") | fromJson).value -}}
{{- $inner = (include "groundcover-sensor.at" (list (.Values.sensor.config | default dict) "apmIngestor.dataDog.innerPort") | fromJson).value | default $inner -}}
{{- $_ := set $taken (printf "%d/TCP" (int64 $inner)) "sensor.config.apmIngestor.dataDog.innerPort" -}}
{{- end -}}
{{- range $ports -}}
{{- $slot := printf "%d/%s" (int64 .port) .protocol -}}
{{- if hasKey $taken $slot -}}
{{- $problems = append $problems (printf "%s is %d, the port of %s too: both can't listen on %s. Give one of them another port:\n  receivers:\n    %s:\n      %s: <free port>" .key (int64 .port) (get $taken $slot) $slot .receiver (last (splitList "." .key))) -}}
{{- end -}}
{{- $_ := set $taken $slot .key -}}
{{- end -}}

{{- /* --- sensor.config: what the receivers decide can't be said a second time --- */ -}}
{{- $user := .Values.sensor.config | default dict -}}
{{- $cleared := list -}}
{{- $governed := list (list "ingestionEnabled" "<each one>" "enabled") -}}
{{- range include "groundcover-sensor.receivers" . | fromJsonArray -}}
{{- $receiver := .receiver -}}
{{- $path := .config -}}
{{- $governed = append $governed (list (printf "%s.enabled" $path) $receiver "enabled") -}}
{{- range .ports -}}
{{- $governed = append $governed (list (printf "%s.%s" $path .config) $receiver .value) -}}
{{- end -}}
{{- end -}}
{{- range $governed -}}
{{- $map := $user -}}
{{- $found := true -}}
{{- range splitList "." (first .) -}}
{{- if and $found (kindIs "map" $map) (hasKey (ternary $map dict (kindIs "map" $map)) .) -}}
{{- $map = get $map . -}}
{{- else if not (kindIs "invalid" $map) -}}
{{- $found = false -}}
{{- end -}}
{{- end -}}
{{- if and $found (kindIs "invalid" $map) -}}
{{- $cleared = append $cleared (first .) -}}
{{- else if $found -}}
{{- $problems = append $problems (printf "sensor.config.%s is set to %v: the Service and the probes would not follow. Take it out and set the receiver:\n  receivers:\n    %s:\n      %s: %v" (first .) $map (index . 1) (last .) $map) -}}
{{- end -}}
{{- end -}}
{{- with $cleared -}}
{{- $problems = append $problems (printf "sensor.config takes away with null what the receivers decide (%s). Take the null out, and switch receivers off by themselves:\n  receivers:\n    zipkin:\n      enabled: false" (join ", " .)) -}}
{{- end -}}
{{- $clashes := "" -}}
{{- if $user -}}
{{- $clashes = include "groundcover-sensor.clashes" (list (include "groundcover-sensor.configDefaults" . | fromJson) $user "sensor.config") -}}
{{- end -}}
{{- range splitList "\n" $clashes | compact -}}
{{- $problems = append $problems (printf "%s is not a map, but the sensor expects one there. Set single keys below it, for example:\n  sensor:\n    config:\n      httphandler:\n        interval: 60s" .) -}}
{{- end -}}
{{- $kinds := dict -}}
{{- if and (hasKey $user "k8sEntitiesWatch") (not $clashes) -}}
{{- $kinds = (include "groundcover-sensor.at" (list (include "groundcover-sensor.config" . | fromJson) "k8sEntitiesWatch.crd.allowedKinds") | fromJson).value | default dict -}}
{{- end -}}
{{- range $name, $kind := $kinds -}}
{{- $map := ternary $kind dict (kindIs "map" $kind) -}}
{{- if not (and (kindIs "string" $map.group) (kindIs "string" $map.kindPlural)) -}}
{{- $problems = append $problems (printf "sensor.config.k8sEntitiesWatch.crd.allowedKinds.%s names no kind: the sensor needs its group and its plural, and so does the ClusterRole. Set, for example:\n  sensor:\n    config:\n      k8sEntitiesWatch:\n        crd:\n          allowedKinds:\n            %s:\n              group: example.com\n              kindPlural: %ss" $name $name $name) -}}
{{- end -}}
{{- end -}}
{{- range $name, $path := dict "otel" "apmIngestor.otel.direct.samplingRatio" "datadog" "apmIngestor.dataDog.samplingRatio" -}}
{{- $ratio := (include "groundcover-sensor.samplingRatio" (list $ $name) | fromJson).value -}}
{{- $valid := false -}}
{{- if kindIs "float64" $ratio -}}
{{- $valid = and (ge $ratio 0.0) (le $ratio 1.0) -}}
{{- end -}}
{{- if not $valid -}}
{{- $problems = append $problems (printf "sensor.config.%s is %s: it must be a number from 0 to 1. Take it out and set, for example:\n  sensor:\n    samplingRatio:\n      %s: 0.05" $path (toJson $ratio) $name) -}}
{{- end -}}
{{- end -}}

{{- /* --- the mesh's side --- */ -}}
{{- $tracing := include "groundcover-sensor.tracing" . | fromJson -}}
{{- if and $tracing.on (not $tracing.port) -}}
{{- $problems = append $problems (printf "istio.tracing.protocol is %q and receivers.%s.enabled is false: the proxies would send spans to a port that nobody listens on. Set:\n  receivers:\n    %s:\n      enabled: true\nor choose another istio.tracing.protocol, or istio.tracing.enabled: false" $tracing.protocol $tracing.receiver $tracing.receiver) -}}
{{- end -}}
{{- $istio := .Values.istio | default dict -}}
{{- if and (dig "enabled" true $istio) (dig "accessLogs" "enabled" false $istio) (not $tracing.accessLogPort) -}}
{{- $problems = append $problems "istio.accessLogs.enabled is true and receivers.otlp.enabled is false: access logs go to the OTLP/gRPC port. Set:\n  receivers:\n    otlp:\n      enabled: true" -}}
{{- end -}}

{{- /* --- istio: what the post-renderer refuses too, in its words (config.py, _refuse_contradictions); not everyone runs it --- */ -}}
{{- $document := include "groundcover-sensor.integration" . | fromJson -}}
{{- $percentage := $document.tracing.samplingPercentage -}}
{{- if and (gt (float64 $percentage) 0.0) (lt (float64 $percentage) 0.01) -}}
{{- $problems = append $problems (printf "istio.tracing.samplingPercentage is %s, of which Envoy makes 0: it counts in hundredths of a percent. Set 0, or at least:\n  istio:\n    tracing:\n      samplingPercentage: 0.01" (printf "%.6g" $percentage)) -}}
{{- end -}}
{{- $byProtocol := get (dict "datadog" "datadog-tracing" "zipkin" "zipkin-tracing") $tracing.protocol | default "otel-tracing" -}}
{{- $providers := dict -}}
{{- if dig "tracing" "enabled" true $document -}}
{{- $_ := set $providers "tracing" (dig "tracing" "providerName" "" $document | default $byProtocol) -}}
{{- end -}}
{{- if dig "accessLogs" "enabled" false $document -}}
{{- $_ := set $providers "accessLogs" (dig "accessLogs" "providerName" "" $document | default "groundcover-access-logs") -}}
{{- end -}}
{{- range $key, $name := $providers -}}
{{- if has (lower $name) (list "prometheus" "stackdriver" "envoy") -}}
{{- $problems = append $problems (printf "istio.%s.providerName is %q, which is Istio's own and would be replaced. Set a name that is not prometheus, stackdriver, envoy:\n  istio:\n    %s:\n      providerName: groundcover-%s" $key $name $key (lower $name)) -}}
{{- end -}}
{{- end -}}
{{- if and (eq (len $providers) 2) (eq (lower (get $providers "tracing")) (lower (get $providers "accessLogs"))) -}}
{{- $problems = append $problems (printf "istio.tracing.providerName and istio.accessLogs.providerName are both %q: one entry of extensionProviders holds one kind. Give them different names:\n  istio:\n    accessLogs:\n      providerName: %s-access-logs" $providers.accessLogs $providers.accessLogs) -}}
{{- end -}}
{{- if and (hasKey $providers "tracing") (eq (dig "tracing" "activation" "auto" $document) "mesh") -}}
{{- if dig "tracing" "customTags" dict $document -}}
{{- $problems = append $problems "istio.tracing.customTags needs a Telemetry, which istio.tracing.activation \"mesh\" does not write. Set \"auto\" or \"telemetry\":\n  istio:\n    tracing:\n      activation: auto" -}}
{{- end -}}
{{- if and (not (kindIs "invalid" $percentage)) (eq (float64 $percentage) 0.0) -}}
{{- $problems = append $problems "istio.tracing.samplingPercentage 0 can't be said in a mesh config, where Istio takes 0 for \"unset\". Set \"auto\" or \"telemetry\":\n  istio:\n    tracing:\n      activation: auto\nor istio.tracing.enabled: false" -}}
{{- end -}}
{{- end -}}

{{- /* --- Custom Metrics --- */ -}}
{{- $metrics := .Values.metrics -}}
{{- $mode := include "groundcover-sensor.metricsMode" . -}}
{{- if (include "groundcover-sensor.at" (list (dict "value" $user) "value.receivers.metricsscraper.enabled") | fromJson).value | kindIs "invalid" | not -}}
{{- $problems = append $problems "sensor.config.receivers.metricsscraper.enabled is set: metrics.enabled and metrics.mode decide it, together with what the scraper is given. Take it out and set:\n  metrics:\n    enabled: true\n    mode: sensor" -}}
{{- end -}}
{{- if and (eq $mode "agent") (not $agent.enabled) -}}
{{- $problems = append $problems "metrics.mode is \"agent\" and istio-metrics.enabled is false: the agent is a chart of its own, and nothing would scrape without it. Set:\n  istio-metrics:\n    enabled: true" -}}
{{- else if and $agent.enabled (ne $mode "agent") -}}
{{- $problems = append $problems (printf "istio-metrics.enabled is true and %s: the agent would have nothing to scrape. To let it, set:\n  metrics:\n    enabled: true\n    mode: agent\nor, without it:\n  istio-metrics:\n    enabled: false" (ternary (printf "metrics.mode is %q" $metrics.mode) "metrics.enabled is false" (default false $metrics.enabled))) -}}
{{- else if and $agent.enabled (not (dig "remoteWrite" "url" "" $agent)) -}}
{{- $url := printf "http://%s.%s.svc:%d/api/v1/write" $fullname (include "groundcover-sensor.namespace" .) (int64 .Values.receivers.remoteWrite.port) -}}
{{- if not .Values.receivers.remoteWrite.enabled -}}
{{- $problems = append $problems "metrics.mode is \"agent\" and receivers.remoteWrite.enabled is false: the agent writes to that receiver. Set:\n  receivers:\n    remoteWrite:\n      enabled: true\nor give istio-metrics.remoteWrite.url another address" -}}
{{- else if ne $url (include "istio-metrics.remoteWriteUrl" (index .Subcharts "istio-metrics")) -}}
{{- $problems = append $problems (printf "istio-metrics.remoteWrite.url is empty and this release's sensor is not where the agent would look for it: its name, namespace or port is your own, which a subchart can't see. Set:\n  istio-metrics:\n    remoteWrite:\n      url: %s" $url) -}}
{{- end -}}
{{- end -}}
{{- if and (eq $mode "sensor") (ne (include "groundcover-sensor.automount" .) "true") -}}
{{- $problems = append $problems "metrics.mode is \"sensor\" and rbac.create is false: without rights to read pods the sensor finds no targets. Set:\n  rbac:\n    create: true\nor, for rights that you bind yourself:\n  serviceAccount:\n    automount: true" -}}
{{- end -}}
{{- if $mode -}}
{{- $names := list -}}
{{- range include "groundcover-sensor.metricsJobs" . | fromJsonArray -}}
{{- $names = append $names .job -}}
{{- end -}}
{{- if ne $mode "monitors" -}}
{{- range $metrics.extraScrapeConfigs -}}
{{- if has .job_name $names -}}
{{- $problems = append $problems (printf "metrics.extraScrapeConfigs has a job %q, and so has the chart or another entry: every job needs a name of its own. Set:\n  metrics:\n    extraScrapeConfigs:\n      - job_name: my-%s" .job_name .job_name) -}}
{{- end -}}
{{- $names = append $names .job_name -}}
{{- end -}}
{{- end -}}
{{- if and (not $names) (not (and (eq $mode "agent") (dig "configMap" "" $agent))) -}}
{{- $problems = append $problems "metrics.enabled is true and every one of metrics.jobs is off: there is nothing to scrape. Set:\n  metrics:\n    jobs:\n      proxies:\n        enabled: true\nor metrics.enabled: false" -}}
{{- end -}}
{{- $units := dict "s" 1 "m" 60 "h" 3600 -}}
{{- $seconds := dict -}}
{{- range list "interval" "timeout" -}}
{{- $text := get $metrics . -}}
{{- $number := regexFind "^[0-9]+" $text -}}
{{- $_ := set $seconds . (mul (int64 $number) (get $units (trimPrefix $number $text))) -}}
{{- end -}}
{{- if gt $seconds.timeout $seconds.interval -}}
{{- $problems = append $problems (printf "metrics.timeout is %s, longer than metrics.interval, which is %s: a scrape would still run when the next one starts. Set:\n  metrics:\n    timeout: %s" $metrics.timeout $metrics.interval $metrics.interval) -}}
{{- end -}}
{{- end -}}

{{- with $problems -}}
{{- $lines := list -}}
{{- range $i, $problem := . -}}
{{- $lines = append $lines (printf "%d. %s" (add1 $i) ($problem | replace "\n" "\n   ")) -}}
{{- end -}}
{{- fail (printf "\n\n%d %s with the values of groundcover-sensor:\n\n%s\n" (len .) (ternary "problem" "problems" (eq (len .) 1)) (join "\n\n" $lines)) -}}
{{- end -}}
{{- end -}}
