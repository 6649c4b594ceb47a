//docgen:messages settings
package settings

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
)

// awsWithin bounds a look-up in AWS, retries and the search for credentials included:
// it may have just begun when the bot is told to stop, for which there are 10 s.
const awsWithin = 8 * time.Second

// awsPlace matches aws-sm://REGION/NAME.
var awsPlace = regexp.MustCompile(`^aws-sm://([a-z0-9-]+)/([\w/+=.@:-]{1,600})$`)

func secretPlace(text string) (string, error) {
	if !awsPlace.MatchString(text) {
		return "", errors.New("must be aws-sm://REGION/NAME, such as aws-sm://ap-northeast-1/psycher: a secret of AWS Secrets Manager")
	}
	return text, nil
}

// passingError is a failure that may pass by itself.
type passingError struct{ error }

// remote reads the secret that PSYCHER_SECRET names, as a source of settings: without
// what the sources before it say wrong, which is told elsewhere. The error holds
// nothing of what AWS or a proxy says, but for the code.
func (l *Loader) remote(read reader, sources []map[string]string) (map[string]string, error) {
	var s Settings
	rows := table(&s)
	for _, row := range rows {
		if row.Name != "PSYCHER_SECRET" && !row.forNetwork() { // a pipe can be read only once
			continue
		}
		if text, err := row.find(sources, read); err == nil && text != "" {
			_ = row.set(text)
		}
	}
	if s.PsycherSecret == "" || l.Local {
		return nil, nil
	}
	// The SDK reads its own settings, the proxies and the certificates from the environment.
	if err := s.Export(); err != nil {
		return nil, err
	}
	for name, value := range sources[1] {
		if strings.HasPrefix(name, "AWS_") && sources[0][name] == "" {
			_ = os.Setenv(name, value) // only a name or value with a zero byte fails
		}
	}
	within := l.within
	if within == 0 {
		within = awsWithin
	}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	text, err := readAWS(ctx, s.PsycherSecret)
	if err != nil {
		return nil, err
	}
	var values map[string]string
	if json.Unmarshal([]byte(text), &values) != nil {
		return nil, errors.New("the secret is not a JSON object of strings; a value that is JSON itself, such as gitlab-trigger-tokens, is JSON inside a string")
	}
	found := map[string]string{}
	for _, row := range rows {
		if row.Secret && !row.forNetwork() {
			found[row.Name] = values[strings.ReplaceAll(strings.ToLower(row.Name), "_", "-")]
		}
	}
	return found, nil
}

// forNetwork reports whether a setting says how anything is reached.
func (r Row) forNetwork() bool {
	return strings.HasSuffix(r.Name, "_PROXY") || strings.HasPrefix(r.Name, "SSL_")
}

func readAWS(ctx context.Context, place string) (string, error) {
	at := awsPlace.FindStringSubmatch(place)
	conf, err := config.LoadDefaultConfig(ctx, config.WithRegion(at[1]), config.WithLogger(logging.Nop{}))
	if err != nil {
		return "", errors.New("the AWS SDK cannot read its own settings: check ~/.aws/config and the variables AWS_*")
	}
	if _, err := conf.Credentials.Retrieve(ctx); err != nil {
		return "", passingError{errors.New("no AWS credentials were found: give this machine a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")}
	}
	got, err := secretsmanager.NewFromConfig(conf).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &at[2]})
	switch {
	case err != nil:
		return "", awsError(ctx, err)
	case got.SecretString == nil:
		return "", errors.New("the secret is binary: it must be text, a JSON object of strings")
	}
	return *got.SecretString, nil
}

var awsCode = regexp.MustCompile(`^[A-Za-z]{1,60}$`)

// awsError is what an operator is told of a failure of AWS.
func awsError(ctx context.Context, err error) error {
	if said, ok := errors.AsType[smithy.APIError](err); ok {
		switch code := said.ErrorCode(); code {
		case "ResourceNotFoundException":
			return errors.New("there is no such secret in that region: check both")
		case "AccessDeniedException", "AccessDenied":
			return errors.New("AWS does not let this identity read the secret: allow secretsmanager:GetSecretValue, and kms:Decrypt if the key is your own")
		case "DecryptionFailure":
			return errors.New("AWS cannot decrypt the secret: allow kms:Decrypt, and check that its key is enabled")
		case "InvalidRequestException":
			return errors.New("AWS does not give the secret out: it may be marked for deletion")
		case "ExpiredTokenException", "ExpiredToken", "InvalidSignatureException", "UnrecognizedClientException", "InvalidClientTokenId", "RequestExpired":
			return errors.New("AWS does not accept the credentials: they are wrong or have expired, or this machine's clock is wrong")
		default:
			if !awsCode.MatchString(code) {
				code = "an error"
			}
			return passingError{fmt.Errorf("AWS answers %s: try again later", code)}
		}
	}
	network, _ := errors.AsType[*net.OpError](err)
	switch {
	case ctx.Err() != nil:
		return passingError{errors.New("AWS did not answer in time: check the network, HTTPS_PROXY and AWS_ENDPOINT_URL_SECRETS_MANAGER")}
	case network != nil:
		return passingError{fmt.Errorf("AWS cannot be reached: %w", network.Err)}
	}
	return passingError{errors.New("AWS cannot be reached, or something else answers: check HTTPS_PROXY, SSL_CERT_FILE and AWS_ENDPOINT_URL_SECRETS_MANAGER")}
}
