//docgen:messages settings
package settings

import (
	"cmp"
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
var awsPlace = regexp.MustCompile(`^aws-sm://([a-z0-9-]+)/([\w/+=.@:-]+)$`)

func secretPlace(text string) (string, error) {
	if !awsPlace.MatchString(text) {
		return "", errors.New("must be aws-sm://REGION/NAME, such as aws-sm://ap-northeast-1/psycher: a secret of AWS Secrets Manager")
	}
	return text, nil
}

// passingError is a failure that may pass by itself.
type passingError struct{ error }

// remote reads the secret that PSYCHER_SECRET names, as a source of settings. The error
// holds nothing of what AWS or a proxy says, but for the code.
func (l *Loader) remote(s Settings, rows []Row) (map[string]string, error) {
	if s.PsycherSecret == "" || l.Local {
		return nil, nil
	}
	// The SDK reads its own settings, the proxies and the certificates from the environment.
	if err := s.Export(); err != nil {
		return nil, err
	}
	for name, value := range l.sources[1] {
		if strings.HasPrefix(name, "AWS_") && l.sources[0][name] == "" {
			_ = os.Setenv(name, value) // only a name or value with a zero byte fails
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), cmp.Or(l.within, awsWithin))
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

//docgen:messages settings
const (
	noRight        = "AWS does not let this identity read the secret: allow secretsmanager:GetSecretValue, and kms:Decrypt if the key is your own"
	badCredentials = "AWS does not accept the credentials: they are wrong or have expired, or this machine's clock is wrong"
)

// awsFixes are what an operator is told of a refusal, by its code.
//
//docgen:messages settings
var awsFixes = map[string]string{
	"ResourceNotFoundException": "there is no such secret in that region: check both",
	"AccessDeniedException":     noRight, "AccessDenied": noRight,
	"DecryptionFailure":       "AWS cannot decrypt the secret: allow kms:Decrypt, and check that its key is enabled",
	"InvalidRequestException": "AWS does not give the secret out: it may be marked for deletion",
	"ExpiredTokenException":   badCredentials, "ExpiredToken": badCredentials, "InvalidSignatureException": badCredentials,
	"UnrecognizedClientException": badCredentials, "InvalidClientTokenId": badCredentials, "RequestExpired": badCredentials,
}

var awsCode = regexp.MustCompile(`^[A-Za-z]{1,60}$`)

// awsError is what an operator is told of a failure of AWS.
func awsError(ctx context.Context, err error) error {
	if said, answered := errors.AsType[smithy.APIError](err); answered {
		code := said.ErrorCode()
		switch fix := awsFixes[code]; {
		case fix != "":
			return errors.New(fix)
		case !awsCode.MatchString(code):
			code = "an error"
		}
		return passingError{fmt.Errorf("AWS answers %s: try again later", code)}
	}
	why := "something else answers"
	if network, is := errors.AsType[*net.OpError](err); ctx.Err() != nil {
		why = "no answer in time"
	} else if is {
		why = network.Err.Error()
	}
	return passingError{fmt.Errorf("AWS cannot be reached: %s: check the network, HTTPS_PROXY, SSL_CERT_FILE and AWS_ENDPOINT_URL_SECRETS_MANAGER", why)}
}
