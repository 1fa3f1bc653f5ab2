// SPDX-License-Identifier: Apache-2.0

// What Go's own text/template makes of the cases of tests/unit/template: prints a JSON array with an object {"output"} or {"error"} for
// each. Run by tests/e2e/test_format.py where Go is installed:  go run template.go DATA.json CASES.json
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/template"
)

// The functions that Docker's command line adds.
var functions = template.FuncMap{
	"json": func(v interface{}) string {
		var b bytes.Buffer
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(v); err != nil {
			return err.Error()
		}
		return strings.TrimSpace(b.String())
	},
	"split": strings.Split,
	"join": func(list []interface{}, by string) string {
		texts := []string{}
		for _, item := range list {
			texts = append(texts, fmt.Sprint(item))
		}
		return strings.Join(texts, by)
	},
	"title": strings.Title,
	"lower": strings.ToLower,
	"upper": strings.ToUpper,
	"pad": func(text string, before, after int) string {
		if len(text) == 0 {
			return text
		}
		return strings.Repeat(" ", before) + text + strings.Repeat(" ", after)
	},
	"truncate": func(text string, length int) string {
		if len(text) < length {
			return text
		}
		return text[:length]
	},
}

// Numbers as Docker's structures hold them: whole ones as int.
func plain(v interface{}) interface{} {
	switch value := v.(type) {
	case json.Number:
		if n, err := value.Int64(); err == nil {
			return int(n)
		}
		f, _ := value.Float64()
		return f
	case []interface{}:
		for i := range value {
			value[i] = plain(value[i])
		}
	case map[string]interface{}:
		for k := range value {
			value[k] = plain(value[k])
		}
	}
	return v
}

func read(path string, into interface{}) {
	file, err := os.Open(path)
	if err != nil {
		panic(err)
	}
	decoder := json.NewDecoder(file)
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		panic(err)
	}
}

func main() {
	var data interface{}
	var cases []struct{ Template string }
	read(os.Args[1], &data)
	read(os.Args[2], &cases)
	data = plain(data)
	results := []map[string]string{}
	for _, c := range cases {
		var b bytes.Buffer
		t, err := template.New("").Option("missingkey=error").Funcs(functions).Parse(c.Template)
		if err == nil {
			err = t.Execute(&b, data)
		}
		if err != nil {
			results = append(results, map[string]string{"error": err.Error()})
		} else {
			results = append(results, map[string]string{"output": b.String()})
		}
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(results); err != nil {
		panic(err)
	}
}
