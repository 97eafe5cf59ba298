"""The types of Istio's MeshConfig: every message and enum below it.

From istio/api mesh/v1alpha1/config.proto and proxy.proto of the 1.31 line. `[]T` is a list of T,
`{}T` a mapping with values T, `object` a mapping that is not looked into, wrappers (BoolValue) are
written as what they wrap. A provider's kinds stand in the order of their declaration, since of two the
last one counts. A field that Istio has dropped since is not in it: what is unknown here is reported only
where it concerns telemetry.
"""

from __future__ import annotations

from typing import Final

_MESSAGES: Final = """
MeshConfig: proxyListenPort int32, proxyInboundListenPort int32, proxyHttpPort int32, connectTimeout duration,
  hboneIdleTimeout duration, protocolDetectionTimeout duration, tcpKeepalive object, ingressClass string,
  ingressService string, ingressControllerMode IngressControllerMode, ingressSelector string, enableTracing bool,
  accessLogFile string, accessLogFormat string, accessLogEncoding AccessLogEncoding, enableEnvoyAccessLogService bool,
  disableEnvoyListenerLog bool, defaultConfig ProxyConfig, outboundTrafficPolicy OutboundTrafficPolicy,
  inboundTrafficPolicy InboundTrafficPolicy, configSources []ConfigSource, enableAutoMtls bool, trustDomain string,
  trustDomainAliases []string, caCertificates []CertificateData, defaultServiceExportTo []string,
  defaultVirtualServiceExportTo []string, defaultDestinationRuleExportTo []string, rootNamespace string,
  localityLbSetting object, zoneAwareLbSetting object, dnsRefreshRate duration, h2UpgradePolicy H2UpgradePolicy,
  inboundClusterStatName string, outboundClusterStatName string, certificates []Certificate, serviceSettings
  []ServiceSettings, serviceScopeConfigs []ServiceScopeConfigs, enablePrometheusMerge bool, verifyCertificateAtClient
  bool, ca CA, extensionProviders []ExtensionProvider, defaultProviders DefaultProviders, discoverySelectors
  []LabelSelector, pathNormalization ProxyPathNormalization, defaultHttpRetryPolicy object, meshMTLS TLSConfig,
  tlsDefaults TLSConfig, defaultTrafficPolicy DefaultTrafficPolicy, serviceEntryVisibility ServiceEntryVisibility
ProxyConfig: configPath string, binaryPath string, serviceCluster string, tracingServiceName TracingServiceName,
  drainDuration duration, discoveryAddress string, discoveryRefreshDelay duration, zipkinAddress string,
  statsdUdpAddress string, envoyMetricsServiceAddress string, proxyAdminPort int32, availabilityZone string,
  controlPlaneAuthPolicy AuthenticationPolicy, customConfigFile string, statNameLength int32, concurrency int32,
  proxyBootstrapTemplatePath string, interceptionMode InboundInterceptionMode, tracing Tracing, sds SDS,
  envoyAccessLogService RemoteService, envoyMetricsService RemoteService, proxyMetadata {}string, runtimeValues
  {}string, statusPort int32, extraStatTags []string, gatewayTopology Topology, terminationDrainDuration duration,
  meshId string, readinessProbe object, proxyStatsMatcher ProxyStatsMatcher, holdApplicationUntilProxyStarts bool,
  caCertificatesPem []string, image object, privateKeyProvider PrivateKeyProvider, proxyHeaders ProxyHeaders,
  fileFlushInterval duration, fileFlushMinSizeKb uint32, statsCompression bool, connectionSettings ConnectionSettings
OutboundTrafficPolicy: mode Mode, tls object
InboundTrafficPolicy: mode InboundTrafficPolicyMode
ConfigSource: address string, tlsSettings object, subscribedResources []Resource
CertificateData: pem string, spiffeBundleUrl string, certSigners []string, trustDomains []string
Certificate: secretName string, dnsNames []string
ServiceSettings: settings Settings, hosts []string
ServiceScopeConfigs: namespaceSelector LabelSelector, servicesSelector LabelSelector, scope Scope
CA: address string, tlsSettings object, requestTimeout duration, istiodSide bool
ExtensionProvider: name string, envoyExtAuthzHttp EnvoyExternalAuthorizationHttpProvider, envoyExtAuthzGrpc
  EnvoyExternalAuthorizationGrpcProvider, zipkin ZipkinTracingProvider, lightstep LightstepTracingProvider, datadog
  DatadogTracingProvider, stackdriver StackdriverProvider, opencensus OpenCensusAgentTracingProvider, skywalking
  SkyWalkingTracingProvider, opentelemetry OpenTelemetryTracingProvider, prometheus PrometheusMetricsProvider,
  envoyFileAccessLog EnvoyFileAccessLogProvider, envoyHttpAls EnvoyHttpGrpcV3LogProvider, envoyTcpAls
  EnvoyTcpGrpcV3LogProvider, envoyOtelAls EnvoyOpenTelemetryLogProvider, sds SDSProvider
DefaultProviders: tracing []string, metrics []string, accessLogging []string
LabelSelector: matchLabels {}string, matchExpressions []LabelSelectorRequirement
ProxyPathNormalization: normalization NormalizationType
TLSConfig: minProtocolVersion TLSProtocol, ecdhCurves []string, cipherSuites []string
DefaultTrafficPolicy: connectionPool object, outlierDetection object
ServiceEntryVisibility: defaultVisibility Visibility, applyToSidecars bool, policies []Policy
Tracing: zipkin Zipkin, lightstep Lightstep, datadog Datadog, stackdriver Stackdriver, openCensusAgent
  OpenCensusAgent, customTags {}CustomTag, maxPathTagLength uint32, sampling double, tlsSettings object,
  enableIstioTags bool
SDS: enabled bool, k8sSaJwtPath string
RemoteService: address string, tlsSettings object, tcpKeepalive object
Topology: numTrustedProxies uint32, forwardClientCertDetails ForwardClientCertDetails, proxyProtocol
  ProxyProtocolConfiguration
ProxyStatsMatcher: inclusionPrefixes []string, inclusionSuffixes []string, inclusionRegexps []string
PrivateKeyProvider: cryptomb CryptoMb, qat QAT
ProxyHeaders: forwardedClientCert ForwardClientCertDetails, setCurrentClientCertDetails SetCurrentClientCertDetails,
  requestId RequestId, server Server, attemptCount AttemptCount, envoyDebugHeaders EnvoyDebugHeaders,
  metadataExchangeHeaders MetadataExchangeHeaders, preserveHttp1HeaderCase bool, xForwardedHost XForwardedHost,
  xForwardedPort XForwardedPort
ConnectionSettings: profile Profile, listenerPerConnectionBufferLimitBytes int32, clusterPerConnectionBufferLimitBytes
  int32, httpIdleTimeout duration, httpMaxConnectionDuration duration, httpDrainTimeout duration, httpRequestTimeout
  duration, httpRequestHeadersTimeout duration, httpStreamIdleTimeout duration, httpMaxStreamDuration duration,
  httpMaxConcurrentStreams int32, http2InitialStreamWindowSize int32, http2InitialConnectionWindowSize int32,
  httpHeadersWithUnderscoresAction HeadersWithUnderscoresAction, httpMergeSlashes bool,
  httpPathWithEscapedSlashesAction PathWithEscapedSlashesAction, listenerConnectionLimit int32,
  globalDownstreamConnectionLimit int32
Settings: clusterLocal bool
EnvoyExternalAuthorizationHttpProvider: service string, port uint32, timeout duration, pathPrefix string, failOpen
  bool, clearRouteCache bool, statusOnError string, includeHeadersInCheck []string, includeRequestHeadersInCheck
  []string, includeAdditionalHeadersInCheck {}string, includeRequestBodyInCheck EnvoyExternalAuthorizationRequestBody,
  headersToUpstreamOnAllow []string, headersToDownstreamOnDeny []string, headersToDownstreamOnAllow []string
EnvoyExternalAuthorizationGrpcProvider: service string, port uint32, timeout duration, failOpen bool, clearRouteCache
  bool, statusOnError string, includeRequestBodyInCheck EnvoyExternalAuthorizationRequestBody
ZipkinTracingProvider: service string, port uint32, maxTagLength uint32, enable64bitTraceId bool, path string,
  traceContextOption TraceContextOption, timeout duration, headers []HttpHeader
LightstepTracingProvider: service string, port uint32, accessToken string, maxTagLength uint32
DatadogTracingProvider: service string, port uint32, maxTagLength uint32
StackdriverProvider: debug bool, maxNumberOfAttributes int64, maxNumberOfAnnotations int64, maxNumberOfMessageEvents
  int64, maxTagLength uint32, logging Logging
OpenCensusAgentTracingProvider: service string, port uint32, context []OpenCensusAgentTracingProviderTraceContext,
  maxTagLength uint32
SkyWalkingTracingProvider: service string, port uint32, accessToken string
OpenTelemetryTracingProvider: service string, port uint32, maxTagLength uint32, http HttpService, grpc GrpcService,
  resourceDetectors ResourceDetectors, serviceAttributeEnrichment ServiceAttributeEnrichment, dynatraceSampler
  DynatraceSampler
PrometheusMetricsProvider:
EnvoyFileAccessLogProvider: path string, logFormat LogFormat, omitEmptyValues bool
EnvoyHttpGrpcV3LogProvider: service string, port uint32, logName string, filterStateObjectsToLog []string,
  additionalRequestHeadersToLog []string, additionalResponseHeadersToLog []string, additionalResponseTrailersToLog
  []string
EnvoyTcpGrpcV3LogProvider: service string, port uint32, logName string, filterStateObjectsToLog []string
EnvoyOpenTelemetryLogProvider: service string, port uint32, logName string, logFormat
  EnvoyOpenTelemetryLogProviderLogFormat
SDSProvider: name string, service string, port uint32
LabelSelectorRequirement: key string, operator string, values []string
Policy: visibility Visibility, matchingRules []MatchRule
Zipkin: address string
Lightstep: address string, accessToken string
Datadog: address string
Stackdriver: debug bool, maxNumberOfAttributes int64, maxNumberOfAnnotations int64, maxNumberOfMessageEvents int64
OpenCensusAgent: address string, context []TraceContext
CustomTag: literal Literal, environment Environment, header RequestHeader
ProxyProtocolConfiguration:
CryptoMb: pollDelay duration, fallback bool
QAT: pollDelay duration, fallback bool
SetCurrentClientCertDetails: subject bool, cert bool, chain bool, dns bool, uri bool
RequestId: disabled bool
Server: disabled bool, value string
AttemptCount: disabled bool
EnvoyDebugHeaders: disabled bool
MetadataExchangeHeaders: mode MetadataExchangeMode
XForwardedHost: enabled bool
XForwardedPort: enabled bool
EnvoyExternalAuthorizationRequestBody: maxRequestBytes uint32, allowPartialMessage bool, packAsBytes bool
HttpHeader: name string, value string, envName string
Logging: labels {}string
HttpService: path string, timeout duration, headers []HttpHeader
GrpcService: timeout duration, initialMetadata []HttpHeader
ResourceDetectors: environment EnvironmentResourceDetector, dynatrace DynatraceResourceDetector
DynatraceSampler: tenant string, clusterId int32, rootSpansPerMinute uint32, httpService DynatraceApi
LogFormat: text string, labels struct
EnvoyOpenTelemetryLogProviderLogFormat: text string, labels struct
MatchRule: namespaceSelector LabelSelector
Literal: value string
Environment: name string, defaultValue string
RequestHeader: name string, defaultValue string
EnvironmentResourceDetector:
DynatraceResourceDetector:
DynatraceApi: service string, port uint32, http HttpService
"""
_ENUMS: Final = """
AuthenticationPolicy: NONE, MUTUAL_TLS, INHERIT
TraceContext: UNSPECIFIED, W3C_TRACE_CONTEXT, GRPC_BIN, CLOUD_TRACE_CONTEXT, B3
ForwardClientCertDetails: UNDEFINED, SANITIZE, FORWARD_ONLY, APPEND_FORWARD, SANITIZE_SET, ALWAYS_FORWARD_ONLY
TracingServiceName: APP_LABEL_AND_NAMESPACE, CANONICAL_NAME_ONLY, CANONICAL_NAME_AND_NAMESPACE
InboundInterceptionMode: REDIRECT, TPROXY, NONE
MetadataExchangeMode: UNDEFINED, IN_MESH
Profile: SIDECAR, EDGE
HeadersWithUnderscoresAction: HEADERS_WITH_UNDERSCORES_UNSPECIFIED, HEADERS_WITH_UNDERSCORES_ALLOW,
  HEADERS_WITH_UNDERSCORES_REJECT_REQUEST, HEADERS_WITH_UNDERSCORES_DROP_HEADER
PathWithEscapedSlashesAction: PATH_WITH_ESCAPED_SLASHES_UNSPECIFIED, KEEP_UNCHANGED, REJECT_REQUEST,
  UNESCAPE_AND_REDIRECT, UNESCAPE_AND_FORWARD
IngressControllerMode: UNSPECIFIED, OFF, DEFAULT, STRICT
AccessLogEncoding: TEXT, JSON
Mode: REGISTRY_ONLY, ALLOW_ANY, ALLOW_ANY_DYNAMIC_DNS
InboundTrafficPolicyMode: PASSTHROUGH, LOCALHOST
H2UpgradePolicy: DO_NOT_UPGRADE, UPGRADE
Scope: LOCAL, GLOBAL
TraceContextOption: USE_B3, USE_B3_WITH_W3C_PROPAGATION
OpenCensusAgentTracingProviderTraceContext: UNSPECIFIED, W3C_TRACE_CONTEXT, GRPC_BIN, CLOUD_TRACE_CONTEXT, B3
ServiceAttributeEnrichment: ISTIO_CANONICAL, OTEL_SEMANTIC_CONVENTIONS
NormalizationType: DEFAULT, NONE, BASE, MERGE_SLASHES, DECODE_AND_MERGE_SLASHES
TLSProtocol: TLS_AUTO, TLSV1_2, TLSV1_3
Resource: SERVICE_REGISTRY
Visibility: VISIBILITY_UNSPECIFIED, NONE, NAMESPACE, PUBLIC
"""


def _entries(text: str) -> dict[str, list[str]]:
    joined = text.strip().replace("\n  ", " ")
    pairs = (line.split(":", 1) for line in joined.splitlines())
    return {name: [part.strip() for part in fields.split(",") if part.strip()] for name, fields in pairs}


MESSAGES: Final[dict[str, dict[str, str]]] = {
    name: dict(field.split(" ", 1) for field in fields) for name, fields in _entries(_MESSAGES).items()
}
ENUMS: Final = _entries(_ENUMS)
NEWEST: Final = (1, 31)
"""The Istio version that the tables are complete for."""
