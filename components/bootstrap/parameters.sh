#!/bin/bash
# What nodes on AWS tell each other: encrypted parameters of the Systems Manager below the path $PARAMETERS, asked for with
# the instance's own role. Nothing secret is an argument of a program: other users of the machine see those.

metadata() { # PATH: from the instance metadata service, version 2
  local service=http://169.254.169.254/latest token
  token=$(curl --fail --silent --show-error --max-time 5 --request PUT --header 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$service/api/token")
  curl --fail --silent --show-error --max-time 5 --config - "$service/meta-data/$1" <<<"header = \"X-aws-ec2-metadata-token: $token\""
}

json_field() { sed --quiet "s/.*\"$1\" *: *\"\([^\"]*\)\".*/\1/p"; }

parameter_store() { # ACTION, with the request on stdin
  local region role credentials key secret session
  region=$(metadata placement/region)
  role=$(metadata iam/security-credentials/)
  credentials=$(metadata "iam/security-credentials/$role")
  key=$(json_field AccessKeyId <<<"$credentials") secret=$(json_field SecretAccessKey <<<"$credentials")
  session=$(json_field Token <<<"$credentials")
  curl --fail-with-body --silent --show-error --max-time 30 --aws-sigv4 "aws:amz:$region:ssm" --data-binary @- \
    --header 'Content-Type: application/x-amz-json-1.1' --header "X-Amz-Target: AmazonSSM.$1" "https://ssm.$region.amazonaws.com/" \
    --config <(printf 'user = "%s:%s"\nheader = "X-Amz-Security-Token: %s"\n' "$key" "$secret" "$session")
}

put_parameter() { # NAME, with the value on stdin: lines without quotes and backslashes
  { printf '{"Name":"%s/%s","Overwrite":true,"Value":"' "$PARAMETERS" "$1" && sed 's/$/\\n/' | tr --delete '\n' && printf '"}'; } |
    parameter_store PutParameter >/dev/null
}

get_parameter() { # NAME
  printf %b "$(printf '{"Name":"%s/%s","WithDecryption":true}' "$PARAMETERS" "$1" | parameter_store GetParameter | json_field Value)"
}
