// What Istio's own code makes of mesh configs: a filter, one JSON string with a mesh config (YAML) on each line of its
// standard input, one JSON object with the answers on each line of its standard output. Its first line of output holds
// the messages of a mesh config with their fields, by the names that JSON has for them.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"go.uber.org/zap/zapcore"
	"google.golang.org/protobuf/reflect/protoreflect"
	meshconfig "istio.io/api/mesh/v1alpha1"

	"istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/log"
	"istio.io/istio/pkg/util/protomarshal"
)

// Answer is what istiod's code says of one mesh config; an empty field means that it says nothing.
type Answer struct {
	// Strict is why a decoder that knows no unknown fields refuses it.
	Strict string `json:"strict"`
	// Lenient is why one that skips unknown fields refuses it.
	Lenient string `json:"lenient"`
	// Istiod is why istiod would keep its former mesh config instead: it decodes leniently, then runs ValidateMeshConfig.
	Istiod string `json:"istiod"`
	// Warnings is what istiod logs of one that it takes.
	Warnings []string `json:"warnings"`
}

// Warnings is the end of Istio's log: ValidateMeshConfig reports an invalid extension provider there and nowhere else.
type Warnings struct {
	zapcore.LevelEnabler
	messages []string
}

func (w *Warnings) With([]zapcore.Field) zapcore.Core { return w }

func (w *Warnings) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	return checked.AddCore(entry, w)
}

func (w *Warnings) Write(entry zapcore.Entry, _ []zapcore.Field) error {
	w.messages = append(w.messages, entry.Message)
	return nil
}

func (w *Warnings) Sync() error { return nil }

func (w *Warnings) answer(text string) Answer {
	w.messages = []string{}
	strict := protomarshal.ApplyYAMLStrict(text, &meshconfig.MeshConfig{})
	lenient := protomarshal.ApplyYAML(text, &meshconfig.MeshConfig{})
	_, istiod := mesh.ApplyMeshConfigDefaults(text)
	return Answer{Strict: words(strict), Lenient: words(lenient), Istiod: words(istiod), Warnings: w.messages}
}

func words(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// fields adds a message and all below it to known: of each field the message that it holds, or nothing.
func fields(message protoreflect.MessageDescriptor, known map[string]map[string]string) {
	name := string(message.FullName())
	if known[name] != nil {
		return
	}
	known[name] = map[string]string{}
	for i := range message.Fields().Len() {
		field := message.Fields().Get(i)
		known[name][field.JSONName()] = ""
		if field.Message() != nil && !field.IsMap() {
			known[name][field.JSONName()] = string(field.Message().FullName())
			fields(field.Message(), known)
		}
	}
}

func run() error {
	warnings := &Warnings{LevelEnabler: zapcore.WarnLevel}
	options := log.DefaultOptions().WithExtension(func(zapcore.Core) (zapcore.Core, func() error, error) {
		return warnings, warnings.Sync, nil
	})
	if err := log.Configure(options); err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	answers := json.NewEncoder(os.Stdout)
	known := map[string]map[string]string{}
	fields((&meshconfig.MeshConfig{}).ProtoReflect().Descriptor(), known)
	if err := answers.Encode(known); err != nil {
		return err
	}
	for lines.Scan() {
		var text string
		if err := json.Unmarshal(lines.Bytes(), &text); err != nil {
			return err
		}
		if err := answers.Encode(warnings.answer(text)); err != nil {
			return err
		}
	}
	return lines.Err()
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
