{{/* Names, labels, image. Helpers that need more than the root context say so. */}}

{{- define "istio-metrics.fullname" -}}
{{- .Values.fullnameOverride | default (printf "%s-istio-metrics" (.Release.Name | replace "." "-" | trunc 49 | trimSuffix "-")) -}}
{{- end -}}

{{- define "istio-metrics.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace -}}
{{- end -}}

{{/* Name of objects that no namespace separates. */}}
{{- define "istio-metrics.clusterName" -}}
{{- printf "%s-%s" (include "istio-metrics.namespace" .) (include "istio-metrics.fullname" .) | trunc 253 | trimSuffix "-" -}}
{{- end -}}

{{- define "istio-metrics.configName" -}}
{{- .Values.configMap | default (include "istio-metrics.fullname" .) -}}
{{- end -}}

{{- define "istio-metrics.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "istio-metrics.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{/*
Where metrics go. A subchart can't see its parent's values, so the default is what the sensor is called unless it was told
otherwise; the parent compares.
*/}}
{{- define "istio-metrics.remoteWriteUrl" -}}
{{- $release := .Release.Name | replace "." "-" -}}
{{- $sensor := printf "%s-sensor" ($release | trunc 56 | trimSuffix "-") -}}
{{- if or (hasSuffix "-sensor" $release) (contains "groundcover-sensor" $release) -}}
{{- $sensor = $release | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- .Values.remoteWrite.url | default (printf "http://%s.%s.svc:8428/api/v1/write" $sensor .Release.Namespace) -}}
{{- end -}}

{{/* What the Deployment selects by; no value and no version may reach it. */}}
{{- define "istio-metrics.selectorLabels" -}}
app.kubernetes.io/name: istio-metrics
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/* Labels of an object. */}}
{{- define "istio-metrics.labels" -}}
{{- $own := include "istio-metrics.selectorLabels" . | fromYaml -}}
{{- $own = merge $own (dict
      "app.kubernetes.io/component" "metrics-agent"
      "app.kubernetes.io/part-of" "groundcover"
      "app.kubernetes.io/version" (.Values.image.tag | default .Chart.AppVersion | replace "+" "_" | trunc 63 | trimSuffix "-")
      "app.kubernetes.io/managed-by" .Release.Service
      "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-")) -}}
{{- toYaml (merge $own (include "istio-metrics.withoutNulls" .Values.commonLabels | fromJson)) -}}
{{- end -}}

{{/* Labels of the pod: without the chart's version, so that a new chart alone does not restart it. */}}
{{- define "istio-metrics.podLabels" -}}
{{- $labels := omit (include "istio-metrics.labels" . | fromYaml) "helm.sh/chart" "app.kubernetes.io/managed-by" -}}
{{- if ne (toString .Values.mesh.optOutSidecar) "false" -}}
{{- $_ := set $labels "sidecar.istio.io/inject" "false" -}}
{{- end -}}
{{- if ne (toString .Values.mesh.optOutAmbient) "false" -}}
{{- $_ := set $labels "istio.io/dataplane-mode" "none" -}}
{{- end -}}
{{- toYaml (merge $labels (include "istio-metrics.withoutNulls" .Values.podLabels | fromJson)) -}}
{{- end -}}

{{/*
The pod's security context, in JSON. OpenShift gives each namespace ids of its own and refuses others, so the default ones are
left out there.
*/}}
{{- define "istio-metrics.podSecurityContext" -}}
{{- $context := dict -}}
{{- $openshift := .Capabilities.APIVersions.Has "security.openshift.io/v1" -}}
{{- range $key, $value := include "istio-metrics.withoutNulls" .Values.podSecurityContext | fromJson -}}
{{- if not (and $openshift (has $key (list "runAsUser" "runAsGroup" "fsGroup")) (eq (toString $value) "65534")) -}}
{{- $_ := set $context $key $value -}}
{{- end -}}
{{- end -}}
{{- toJson $context -}}
{{- end -}}

{{/*
A map of values without its nulls, in JSON, at any depth: that is how a later values file takes a key of an earlier one away, and
Helm hands such a null on where the chart has no default of that key. Call with the map, or with null.
*/}}
{{- define "istio-metrics.withoutNulls" -}}
{{- $kept := dict -}}
{{- range $key, $value := . -}}
{{- if kindIs "map" $value -}}
{{- $_ := set $kept $key (include "istio-metrics.withoutNulls" $value | fromJson) -}}
{{- else if not (kindIs "invalid" $value) -}}
{{- $_ := set $kept $key $value -}}
{{- end -}}
{{- end -}}
{{- toJson $kept -}}
{{- end -}}

{{- define "istio-metrics.image" -}}
{{- $image := .Values.image -}}
{{- $registry := coalesce $image.registry ((.Values.global).imageRegistry) "public.ecr.aws" -}}
{{- printf "%s/%s:%s" $registry $image.repository ($image.tag | default .Chart.AppVersion) -}}
{{- with $image.digest -}}
{{- printf "@%s" . -}}
{{- end -}}
{{- end -}}

{{/* imagePullSecrets, in JSON: the chart's own and the global ones, each once, in either spelling. */}}
{{- define "istio-metrics.imagePullSecrets" -}}
{{- $secrets := list -}}
{{- range concat (.Values.imagePullSecrets | default list) ((.Values.global).imagePullSecrets | default list) -}}
{{- $secrets = append $secrets (kindIs "string" . | ternary (dict "name" .) .) -}}
{{- end -}}
{{- $secrets | uniq | toJson -}}
{{- end -}}
