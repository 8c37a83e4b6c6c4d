package main

import (
	"encoding/json"
	"os"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
)

// line is what is written of a suite as it runs. ginkgo's own report comes at the end, and not from a run that is killed.
type line struct {
	// How many specs were selected, once; the other fields are then empty.
	Selected int `json:"selected,omitempty"`

	// The outermost container, "[sig-network] Services".
	Area    string  `json:"area,omitempty"`
	Name    string  `json:"name,omitempty"`
	State   string  `json:"state,omitempty"`
	Reason  string  `json:"reason,omitempty"`
	Seconds float64 `json:"seconds,omitempty"`
	Process int     `json:"process,omitempty"`
}

// reportTo writes a line of JSON for each spec that ended, also for those that were not selected: they are skipped without a reason.
func reportTo(path string) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	// Processes that run side by side append to one file, each line in one write.
	write := func(one line) {
		text, err := json.Marshal(one)
		if err == nil {
			_, err = file.Write(append(text, '\n'))
		}
		if err != nil {
			ginkgo.Fail("cannot write " + path + ": " + err.Error())
		}
	}
	// Only the first process is asked.
	ginkgo.ReportBeforeSuite(func(report types.Report) {
		write(line{Selected: report.PreRunStats.SpecsThatWillRun})
	})
	ginkgo.ReportAfterEach(func(report types.SpecReport) {
		containers := report.ContainerHierarchyTexts
		area := ""
		if len(containers) > 0 {
			area = containers[0]
		}
		write(line{
			Area:    area,
			Name:    strings.Join(append(containers[:len(containers):len(containers)], report.LeafNodeText), " "),
			State:   report.State.String(),
			Reason:  report.Failure.Message,
			Seconds: report.RunTime.Seconds(),
			Process: report.ParallelProcess,
		})
	})
	return nil
}
