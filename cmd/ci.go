package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/getto-systems/psycher/examples"
)

// manifestCommand prints what a Slack app is made from.
func manifestCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "manifest",
		Short: "Print the manifest of the Slack app",
		Long: `Prints what to paste at https://api.slack.com/apps, Create New App, From a manifest
(or, for an app that there is already, on its page App Manifest). It needs no
settings; with a target map that names user groups, it asks for usergroups:read too.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			manifest, err := examples.FS.ReadFile("slack-app-manifest.json")
			if s, _, unset := load(); unset == nil && len(s.Targets.Groups()) > 0 {
				manifest = bytes.Replace(manifest, []byte(lastScope), []byte(lastScope+",\n        \"usergroups:read\""), 1)
			}
			if err == nil {
				_, err = cmd.OutOrStdout().Write(manifest)
			}
			return err
		},
	}
}

// lastScope is the last one of the manifest.
const lastScope = `"groups:history"`

// ciCommand gives a project the files that it needs to be deployed.
func ciCommand() *cobra.Command {
	var form, dir string
	c := &cobra.Command{
		Use:   "ci",
		Short: "Print the CI file and the scripts that a project needs, or write them into it",
		Long: `Prints the CI file of a project and the two scripts that its jobs call; with --dir,
writes them into a clone of the project. It overwrites nothing, and needs no
settings.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return ci(cmd, form, dir) },
	}
	c.Flags().StringVar(&form, "form", "modern", "modern, or classic: for GitLab before 16.8, and for projects with only: and except:")
	c.Flags().StringVar(&dir, "dir", "", "the root of a clone of the project, to write the files into")
	return c
}

func ci(cmd *cobra.Command, form, dir string) error {
	if form != "modern" && form != "classic" {
		return withHelp(cmd, errors.New("--form must be modern or classic"))
	}
	if at, err := os.Stat(dir); dir != "" && (err != nil || !at.IsDir()) {
		return withHelp(cmd, fmt.Errorf("--dir must be a folder that there is: %s", dir))
	}
	var failed error
	for _, to := range []string{".gitlab-ci.yml", "bin/notify.sh", "bin/deploy.sh"} {
		from, mode := path.Base(to), fs.FileMode(0o755)
		if from == to {
			from, mode = path.Join(form, to), 0o644
		}
		content, err := examples.FS.ReadFile(from)
		said := fmt.Sprintf("==> %s <==\n%s", to, content)
		if err == nil && dir != "" {
			said, err = "wrote "+to, writeNew(filepath.Join(dir, to), content, mode)
		}
		if err == nil {
			_, err = fmt.Fprintln(cmd.OutOrStdout(), said)
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

// writeNew writes a file that is not there yet.
func writeNew(path string, content []byte, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	switch {
	case errors.Is(err, fs.ErrExist):
		fix := "add by hand what psycher ci prints for it"
		if filepath.Base(path) == "notify.sh" {
			fix = "replace it if it is older than the one that psycher ci prints"
		}
		return fmt.Errorf("%s is there already, and is left as it is: %s", path, fix)
	case err != nil:
		return fmt.Errorf("writing a file: %w", err)
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Close())
}
