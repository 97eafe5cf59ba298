{{/*
Names, labels, images, placement. Helpers that need more than the root context say so; lists are passed as (list $ a b).
A helper can only give text, so those that make data give JSON: read it with fromJson or fromJsonArray.
*/}}

{{/* Name of the sensor's Service, DaemonSet and ServiceAccount: release "groundcover" gives "groundcover-sensor". */}}
{{- define "groundcover-sensor.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else -}}
{{- /* A release name may have dots, a Service name may not. */ -}}
{{- $release := .Release.Name | replace "." "-" -}}
{{- if or (hasSuffix "-sensor" $release) (contains "groundcover-sensor" $release) -}}
{{- $release | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-sensor" ($release | trunc 56 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "groundcover-sensor.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace -}}
{{- end -}}

{{/* Name of objects that no namespace separates. */}}
{{- define "groundcover-sensor.clusterName" -}}
{{- printf "%s-%s" (include "groundcover-sensor.namespace" .) (include "groundcover-sensor.fullname" .) | trunc 253 | trimSuffix "-" -}}
{{- end -}}

{{- define "groundcover-sensor.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "groundcover-sensor.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "groundcover-sensor.priorityClassName" -}}
{{- if .Values.priorityClass.create -}}
{{- $name := include "groundcover-sensor.clusterName" . -}}
{{- if hasPrefix "system-" $name -}}
{{- /* Kubernetes keeps that prefix of PriorityClasses to itself. */ -}}
{{- $name = printf "groundcover-%s" $name | trunc 253 | trimSuffix "-" -}}
{{- end -}}
{{- .Values.priorityClass.name | default $name -}}
{{- else -}}
{{- .Values.priorityClass.name -}}
{{- end -}}
{{- end -}}

{{/* Version of the sensor, which it also reads itself from the pod annotation groundcover_version. */}}
{{- define "groundcover-sensor.version" -}}
{{- .Values.image.tag | default .Chart.AppVersion -}}
{{- end -}}

{{/*
What the Service and the DaemonSet select by. A DaemonSet's selector can never change, so no value and no version may
reach it. In JSON.
*/}}
{{- define "groundcover-sensor.selectorLabels" -}}
{{- dict "app.kubernetes.io/name" "sensor" "app.kubernetes.io/instance" .Release.Name | toJson -}}
{{- end -}}

{{/*
Labels of an object, as YAML. Call: (list $ COMPONENT NAME EXTRA), EXTRA a map that wins over commonLabels but not over
the standard ones. A pod's labels leave out the chart's version, so that a new chart alone does not restart it: for pods
use groundcover-sensor.podLabels.
*/}}
{{- define "groundcover-sensor.labels" -}}
{{- $root := index . 0 -}}
{{- $labels := merge (dict
      "app.kubernetes.io/name" (index . 2)
      "app.kubernetes.io/instance" $root.Release.Name
      "app.kubernetes.io/component" (index . 1)
      "app.kubernetes.io/part-of" "groundcover"
      "app.kubernetes.io/version" (include "groundcover-sensor.version" $root | replace "+" "_" | trunc 63 | trimSuffix "-")
      "app.kubernetes.io/managed-by" $root.Release.Service
      "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-")
    ) (include "groundcover-sensor.withoutNulls" (index . 3) | fromJson) (include "groundcover-sensor.withoutNulls" $root.Values.commonLabels | fromJson) -}}
{{- toYaml $labels -}}
{{- end -}}

{{/* Labels of pods, as YAML. Call: (list $ COMPONENT NAME EXTRA). */}}
{{- define "groundcover-sensor.podLabels" -}}
{{- $root := index . 0 -}}
{{- $labels := dict
      "app.kubernetes.io/name" (index . 2)
      "app.kubernetes.io/instance" $root.Release.Name
      "app.kubernetes.io/component" (index . 1)
      "app.kubernetes.io/part-of" "groundcover"
      "app.kubernetes.io/version" (include "groundcover-sensor.version" $root | replace "+" "_" | trunc 63 | trimSuffix "-") -}}
{{- /* Only false is false: a switch that is not there, as after an upgrade with --reuse-values, counts as its default. */ -}}
{{- if ne (toString ($root.Values.mesh).optOutSidecar) "false" -}}
{{- $_ := set $labels "sidecar.istio.io/inject" "false" -}}
{{- end -}}
{{- if ne (toString ($root.Values.mesh).optOutAmbient) "false" -}}
{{- $_ := set $labels "istio.io/dataplane-mode" "none" -}}
{{- end -}}
{{- toYaml (merge $labels (include "groundcover-sensor.withoutNulls" (index . 3) | fromJson) (include "groundcover-sensor.withoutNulls" $root.Values.commonLabels | fromJson)) -}}
{{- end -}}

{{/* Reference of an image. Call: (list $ IMAGE DEFAULT_TAG); the image's own registry wins over the global one. */}}
{{- define "groundcover-sensor.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- $registry := coalesce $image.registry (($root.Values.global).imageRegistry) "public.ecr.aws" -}}
{{- printf "%s/%s" $registry $image.repository -}}
{{- with $image.tag | default (index . 2) -}}
{{- printf ":%s" . -}}
{{- end -}}
{{- with $image.digest -}}
{{- printf "@%s" . -}}
{{- end -}}
{{- end -}}

{{/*
imagePullSecrets of every pod, in JSON: the chart's own and the global ones, each once. Other charts under the same parent may
want the global ones as bare names, so both spellings are taken.
*/}}
{{- define "groundcover-sensor.imagePullSecrets" -}}
{{- $secrets := list -}}
{{- range concat (.Values.imagePullSecrets | default list) ((.Values.global).imagePullSecrets | default list) -}}
{{- $secrets = append $secrets (kindIs "string" . | ternary (dict "name" .) .) -}}
{{- end -}}
{{- $secrets | uniq | toJson -}}
{{- end -}}

{{/*
The affinity, in JSON: the user's with the chart's own node requirements added. nodeSelectorTerms are alternatives, so the
requirements go into each of them, where all of a term must hold.
*/}}
{{- define "groundcover-sensor.affinity" -}}
{{- $affinity := include "groundcover-sensor.withoutNulls" .Values.affinity | fromJson -}}
{{- if .Values.nodeRequirements -}}
{{- $node := get $affinity "nodeAffinity" | default dict -}}
{{- $required := get $node "requiredDuringSchedulingIgnoredDuringExecution" | default dict -}}
{{- $terms := list -}}
{{- range (get $required "nodeSelectorTerms" | default (list (dict))) -}}
{{- $terms = append $terms (merge (dict "matchExpressions" (concat (.matchExpressions | default list) $.Values.nodeRequirements)) .) -}}
{{- end -}}
{{- $_ := set $required "nodeSelectorTerms" $terms -}}
{{- $_ := set $node "requiredDuringSchedulingIgnoredDuringExecution" $required -}}
{{- $_ := set $affinity "nodeAffinity" $node -}}
{{- end -}}
{{- toJson $affinity -}}
{{- end -}}

{{/*
A map of values without its nulls, in JSON, at any depth: that is how a later values file takes a key of an earlier one away, and
Helm hands such a null on where the chart has no default of that key. Call with the map, or with null.
*/}}
{{- define "groundcover-sensor.withoutNulls" -}}
{{- $kept := dict -}}
{{- range $key, $value := . -}}
{{- if kindIs "map" $value -}}
{{- $_ := set $kept $key (include "groundcover-sensor.withoutNulls" $value | fromJson) -}}
{{- else if not (kindIs "invalid" $value) -}}
{{- $_ := set $kept $key $value -}}
{{- end -}}
{{- end -}}
{{- toJson $kept -}}
{{- end -}}

{{/* A list or map of values as YAML, templates in its strings filled in. Call: (list $ VALUE). */}}
{{- define "groundcover-sensor.tplYaml" -}}
{{- tpl (toYaml (index . 1)) (index . 0) -}}
{{- end -}}

{{/* Bytes of a Kubernetes quantity such as 1Gi, 512M or 1.5G; 0 when it is none. */}}
{{- define "groundcover-sensor.bytes" -}}
{{- /* A number without a unit comes as a float, which prints large ones with an exponent. */ -}}
{{- $quantity := kindIs "float64" . | ternary (int64 .) . | toString -}}
{{- $number := regexFind "^[0-9]+(\\.[0-9]+)?" $quantity -}}
{{- $factor := get (dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776) (trimPrefix $number $quantity) -}}
{{- if and $number $factor -}}
{{- mulf (float64 $number) $factor | int64 -}}
{{- else -}}
0
{{- end -}}
{{- end -}}

{{/* The Go runtime's memory limit, from the container's; empty when there is none. */}}
{{- define "groundcover-sensor.goMemLimit" -}}
{{- $bytes := include "groundcover-sensor.bytes" (dig "limits" "memory" "" (.Values.resources | default dict)) | int64 -}}
{{- $mebibytes := div (div (mul $bytes (int64 .Values.goMemLimitPercent)) 100) 1048576 -}}
{{- if gt $mebibytes 0 -}}
{{- printf "%dMiB" $mebibytes -}}
{{- end -}}
{{- end -}}

{{/* Where the token is, in JSON: {"source": "value" | "secret" | "", "secret": NAME, "key": KEY}. Never the token. */}}
{{- define "groundcover-sensor.credentials" -}}
{{- $global := .Values.global | default dict -}}
{{- $predefined := get $global "groundcoverPredefinedTokenSecret" | default dict -}}
{{- if .Values.existingSecret.name -}}
{{- dict "source" "secret" "secret" .Values.existingSecret.name "key" (.Values.existingSecret.key | default "API_KEY") | toJson -}}
{{- else if get $predefined "secretName" -}}
{{- dict "source" "secret" "secret" (get $predefined "secretName") "key" (get $predefined "secretKey" | default "API_KEY") | toJson -}}
{{- else if include "groundcover-sensor.token" . -}}
{{- dict "source" "value" "secret" (printf "%s-token" (include "groundcover-sensor.fullname" .)) "key" "API_KEY" | toJson -}}
{{- else -}}
{{- dict "source" "" "secret" (printf "%s-token" (include "groundcover-sensor.fullname" .)) "key" "API_KEY" | toJson -}}
{{- end -}}
{{- end -}}

{{- define "groundcover-sensor.token" -}}
{{- /* A file given with --set-file ends with a line break. */ -}}
{{- coalesce (.Values.token | default "" | trim) ((.Values.global).groundcover_token | default "" | trim) -}}
{{- end -}}

{{- define "groundcover-sensor.site" -}}
{{- coalesce .Values.ingestion.site (((.Values.global).ingress).site) | default "" -}}
{{- end -}}

{{/*
Whether the sensor gets the right to use an SCC: true says so, also where Helm renders without the cluster and can't see its
APIs; auto, and a switch that is not there, leave it to the API.
*/}}
{{- define "groundcover-sensor.useScc" -}}
{{- $enabled := toString .Values.openshift.scc.enabled -}}
{{- $auto := and (ne $enabled "false") (.Capabilities.APIVersions.Has "security.openshift.io/v1") -}}
{{- and .Values.rbac.create (or (eq $enabled "true") $auto) | default false -}}
{{- end -}}

{{/* Mounted when the sensor has rights to use it, or when the user gives it rights of their own. */}}
{{- define "groundcover-sensor.automount" -}}
{{- or .Values.rbac.create .Values.serviceAccount.automount | default false -}}
{{- end -}}
