// Release makes the deb and the rpm of .goreleaser.yaml for one architecture of
// Linux, as GoReleaser would, which itself takes minutes to build:
//
//	release FOLDER     in the root of a clone
//
// Settings of the file that it does not know are an error, as they are to
// GoReleaser; those of other parts of a release have no effect.
package main

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"text/template"
	"time"

	"github.com/goreleaser/goreleaser/v2/pkg/config"
	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
	_ "github.com/goreleaser/nfpm/v2/rpm"
)

func main() {
	if err := release(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func release(folder string) error {
	project, err := config.Load(".goreleaser.yaml")
	if err != nil {
		return err
	}
	build, pack := project.Builds[0], project.NFPMs[0]

	program := filepath.Join(folder, project.ProjectName)
	args := append([]string{"build", "-o", program, "-ldflags", strings.Join(build.Ldflags, " ")}, build.Flags...)
	compile := exec.Command("go", append(args, build.Main)...)
	compile.Env = append(os.Environ(), append(build.Env, "GOOS=linux")...)
	compile.Stderr = os.Stderr
	if err := compile.Run(); err != nil {
		return fmt.Errorf("building %s: %w", build.Main, err)
	}

	commit, err := exec.Command("git", "log", "-1", "--format=%ct %h").Output()
	if err != nil {
		return fmt.Errorf("reading the commit: %w", err)
	}
	var seconds int64
	var hash string
	if _, err := fmt.Sscan(string(commit), &seconds, &hash); err != nil {
		return fmt.Errorf("reading the commit: %w", err)
	}
	names := map[string]string{"CommitDate": time.Unix(seconds, 0).UTC().Format(time.RFC3339), "ShortCommit": hash}
	mtime, err := time.Parse(time.RFC3339, expand(pack.MTime, names))
	if err != nil {
		return err
	}

	info := nfpm.Info{
		Name:        project.ProjectName,
		Arch:        runtime.GOARCH,
		Platform:    "linux",
		Version:     expand(project.Snapshot.VersionTemplate, names),
		Section:     pack.Section,
		Maintainer:  pack.Maintainer,
		Description: pack.Description,
		Homepage:    pack.Homepage,
		License:     pack.License,
		MTime:       mtime,
	}
	info.RPM.BuildHost = pack.RPM.BuildHost
	info.Scripts = nfpm.Scripts{
		PostInstall: pack.Scripts.PostInstall, PreRemove: pack.Scripts.PreRemove, PostRemove: pack.Scripts.PostRemove,
	}
	info.Contents = files.Contents{{
		Source: program, Destination: "/usr/bin/" + project.ProjectName,
		FileInfo: &files.ContentFileInfo{Mode: 0o755, MTime: mtime},
	}}
	for _, c := range pack.Contents {
		info.Contents = append(info.Contents, &files.Content{
			Source: c.Source, Destination: c.Destination, Type: c.Type,
			FileInfo: &files.ContentFileInfo{Mode: c.FileInfo.Mode, MTime: mtime},
		})
	}
	for _, format := range pack.Formats {
		if err := write(info, format, folder); err != nil {
			return fmt.Errorf("packing %s: %w", format, err)
		}
	}
	return nil
}

// write makes one package. It takes a copy of the info, to which nfpm adds.
func write(info nfpm.Info, format, folder string) error {
	packager, err := nfpm.Get(format)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := packager.Package(nfpm.WithDefaults(&info), &text); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, packager.ConventionalFileName(&info)), text.Bytes(), 0o644)
}

func expand(text string, names map[string]string) string {
	var out strings.Builder
	if err := template.Must(template.New("").Option("missingkey=error").Parse(text)).Execute(&out, names); err != nil {
		panic(err)
	}
	return out.String()
}
