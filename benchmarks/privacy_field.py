"""A third part of the corpus, made by somebody who had no part in the rules: secrets as they stand in real files and logs.

What is in it is written the way configuration files, shells, HTTP dumps, connection strings and stack traces are.
"""

# ruff: noqa: E501, RUF001 - templates are read as lines, and written as people do

from __future__ import annotations

import base64
import json
import string
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    Maker = Callable[[random.Random], str]

LOWER: Final = string.ascii_lowercase
UPPER: Final = string.ascii_uppercase
ALNUM: Final = string.ascii_letters + string.digits
URLSAFE: Final = ALNUM + "-_"
HEX: Final = "0123456789abcdef"


def draw(r: random.Random, alphabet: str, count: int) -> str:
    """So many characters of an alphabet."""
    return "".join(r.choices(alphabet, k=count))


def of(prefix: str, count: int, alphabet: str = ALNUM, suffix: str = "") -> Maker:
    """A maker of a prefix and so many characters."""
    return lambda r: prefix + draw(r, alphabet, count) + suffix


def token(r: random.Random) -> str:
    """A JSON web token."""
    head = {"typ": "JWT", "alg": r.choice(["RS512", "EdDSA", "HS384", "none"]), "kid": draw(r, HEX, 8)}
    body = {"iss": "https://id.example", "sub": draw(r, HEX, 12), "iat": 1_700_000_000 + r.randrange(10**7)}
    parts = [base64.urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in (head, body)]
    return ".".join((*parts, draw(r, URLSAFE, 86)))


VENDORS: Final[dict[str, Maker]] = {
    "aws id": of("AKIA", 16, UPPER + "234567"),
    "aws session id": of("ASIA", 16, UPPER + "234567"),
    "google": of("AIza", 35, URLSAFE),
    "google oauth": lambda r: "ya29.a0" + draw(r, URLSAFE, 140),
    "google client": of("GOCSPX-", 28, URLSAFE),
    "google refresh": of("1//0", 60, URLSAFE),
    "github": lambda r: r.choice(["ghp_", "gho_", "ghu_", "ghs_", "ghr_"]) + draw(r, ALNUM, 36),
    "github fine": lambda r: f"github_pat_{draw(r, ALNUM, 22)}_{draw(r, ALNUM, 59)}",
    "gitlab": lambda r: (
        r.choice(["glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-", "gloas-", "glsoat-"])
        + draw(r, URLSAFE, 20)
    ),
    "slack bot": lambda r: f"xoxb-{draw(r, string.digits, 12)}-{draw(r, string.digits, 13)}-{draw(r, ALNUM, 24)}",
    "slack user": lambda r: f"xoxp-{draw(r, string.digits, 12)}-{draw(r, string.digits, 12)}-{draw(r, HEX, 32)}",
    "slack app": lambda r: f"xapp-1-A{draw(r, UPPER, 10)}-{draw(r, string.digits, 13)}-{draw(r, HEX, 64)}",
    "stripe": lambda r: r.choice(["sk_live_", "sk_test_", "rk_live_"]) + draw(r, ALNUM, r.choice([24, 99])),
    "stripe hook": of("whsec_", 32),
    "openai": lambda r: f"sk-{draw(r, ALNUM, 20)}T3BlbkFJ{draw(r, ALNUM, 20)}",
    "openai project": lambda r: f"sk-proj-{draw(r, URLSAFE, 74)}T3BlbkFJ{draw(r, URLSAFE, 74)}",
    "anthropic": lambda r: f"sk-ant-api03-{draw(r, URLSAFE, 93)}AA",
    "hugging face": of("hf_", 34, string.ascii_letters),
    "twilio": of("SK", 32, HEX),
    "sendgrid": lambda r: f"SG.{draw(r, URLSAFE, 22)}.{draw(r, URLSAFE, 43)}",
    "telegram": lambda r: f"{r.randrange(10**8, 10**10)}:AA{draw(r, URLSAFE, 33)}",
    "npm": of("npm_", 36),
    "pypi": of("pypi-AgEIcHlwaS5vcmc", 150, URLSAFE),
    "digitalocean": lambda r: r.choice(["dop_v1_", "doo_v1_", "dor_v1_"]) + draw(r, HEX, 64),
    "shopify": lambda r: r.choice(["shpat_", "shpca_", "shppa_", "shpss_"]) + draw(r, HEX, 32),
    "square": lambda r: r.choice(["sq0atp-" + draw(r, URLSAFE, 22), "EAAA" + draw(r, URLSAFE, 60)]),
    "square secret": of("sq0csp-", 43, URLSAFE),
    "mailgun": of("key-", 32, HEX),
    "discord": lambda r: f"M{draw(r, ALNUM, 23)}.{draw(r, ALNUM, 6)}.{draw(r, URLSAFE, 38)}",
    "mailchimp": lambda r: f"{draw(r, HEX, 32)}-us{r.randint(1, 21)}",
    "vault": of("hvs.", 92, URLSAFE),
    "doppler": of("dp.pt.", 43),
    "linear": of("lin_api_", 40),
    "notion": of("ntn_", 46),
    "notion old": of("secret_", 43),
    "postman": lambda r: f"PMAK-{draw(r, HEX, 24)}-{draw(r, HEX, 34)}",
    "databricks": of("dapi", 32, HEX),
    "docker": of("dckr_pat_", 27, URLSAFE),
    "grafana": lambda r: f"glsa_{draw(r, ALNUM, 32)}_{draw(r, HEX, 8)}",
    "groq": of("gsk_", 52),
    "xai": of("xai-", 80),
    "replicate": of("r8_", 37),
    "brevo": lambda r: f"xkeysib-{draw(r, HEX, 64)}-{draw(r, ALNUM, 16)}",
    "atlassian": of("ATATT3xFfGF0", 180, URLSAFE),
    "airtable": lambda r: f"pat{draw(r, ALNUM, 14)}.{draw(r, HEX, 64)}",
    "terraform": lambda r: f"{draw(r, ALNUM, 14)}.atlasv1.{draw(r, URLSAFE, 64)}",
    "mapbox": lambda r: f"sk.eyJ1Ijoi{draw(r, ALNUM, 40)}.{draw(r, URLSAFE, 22)}",
    "dynatrace": lambda r: f"dt0c01.{draw(r, UPPER, 24)}.{draw(r, UPPER, 64)}",
    "facebook": of("EAACEdEose0cBA", 120),
    "new relic": of("NRAK-", 27, UPPER + string.digits),
    "pulumi": of("pul-", 40, HEX),
    "supabase": of("sbp_", 40, HEX),
    "rubygems": of("rubygems_", 48, HEX),
    "alibaba": of("LTAI", 20),
    "sentry": of("sntryu_", 64, HEX),
    "age": of("AGE-SECRET-KEY-1", 58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"),
}
"""Keys in the form that their vendors publish."""

VENDOR_FRAMES: Final = (
    "{}",
    "  {}\r\n",
    "Using API key {} for tenant acme",
    "clé {} révoquée par l'administrateur",
    "El token {} ha caducado, genere otro",
    "Ключ {} отозван",
    "密钥 {} 已失效",
    "Invalid key: `{}`",
    'raise AuthError("{}")',
    "[{}] 401 Unauthorized",
    "https://api.example/v1/things/{}/rotate",
    "https://api.example/v1/things?q={}",
    "git clone https://oauth2:{}@git.example/team/app.git",
    "remote: {}; retrying",
    "args=['deploy', '{}', '--force']",
    '{{"level":"warn","msg":"rejected {}","n":3}}',
    "<code>{}</code>",
    "key|{}|eu-west-1",
    "a,b,{},d",
)

ADDRESSES: Final[tuple[tuple[str, Maker], ...]] = (
    (
        "posting to https://hooks.slack.com/services/{} failed",
        lambda r: f"T{draw(r, UPPER, 8)}/B{draw(r, UPPER, 8)}/{draw(r, ALNUM, 24)}",
    ),
    (
        "https://hooks.slack.com/workflows/{}",
        lambda r: f"T{draw(r, UPPER, 8)}/A{draw(r, UPPER, 8)}/{draw(r, string.digits, 18)}/{draw(r, ALNUM, 24)}",
    ),
    (
        "https://discord.com/api/webhooks/{} answered 429",
        lambda r: f"{draw(r, '123456789', 18)}/{draw(r, URLSAFE, 68)}",
    ),
    ("GET https://api.telegram.org/bot{}/getMe", lambda r: f"{draw(r, '123456789', 10)}:AA{draw(r, URLSAFE, 33)}"),
    (
        "https://acme.blob.core.windows.net/c/f.png?sv=2022-11-02&st=2024-01-01T00%3A00%3A00Z&sr=b&sp=r&sig={}",
        lambda r: draw(r, ALNUM, 42) + "%3D",
    ),
    (
        "https://acme.queue.core.windows.net/q?se=2030-01-01&sig={}&sv=2021-06-08",
        lambda r: draw(r, ALNUM, 40) + "%2Bx%3D",
    ),
    (
        "https://b.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20240101T000000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Signature={}",
        of("", 64, HEX),
    ),
    ("https://b.s3.amazonaws.com/k?X-Amz-Security-Token={}&X-Amz-Expires=900", of("IQoJb3JpZ2luX2VjE", 200)),
    ("https://storage.googleapis.com/b/o?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Signature={}", of("", 256, HEX)),
    ("https://app.example/invite?invite_token={}", of("", 22)),
    ("https://app.example/magic#access_token={}&expires_in=3600&state=x", of("", 40)),
    ("/oauth/callback?code=abc&client_secret={}", of("", 30)),
    ("https://app.example/login?user=7&passwd={}", of("S3", 8)),
    ("wss://push.example/socket?auth={}", of("9", 24)),
    ("https://api.example/?apikey={}&q=berlin", of("", 24, HEX)),
    ("https://maps.example/tiles?subscription-key={}", of("", 32, HEX)),
    ("/old?RelayState=%2Fa&JSESSIONID={}", of("", 32, LOWER + string.digits)),
    ("https://a.example/r?u=https%3A%2F%2Fb.example%2F%3Fpassword%3D{}%26x%3D1", of("Q7", 12)),
)
"""Addresses that carry a secret."""

CONNECTIONS: Final = (
    "postgresql+asyncpg://shop:{}@db.internal:5432/shop?sslmode=require",
    "mysql://root:{}@127.0.0.1:3306/app",
    "mysql+pymysql://app:{}@mysql/app?charset=utf8mb4",
    "mariadb://app:{}@maria.internal/app",
    "mongodb+srv://svc:{}@cluster0.abcde.mongodb.net/prod?retryWrites=true",
    "redis://:{}@cache.internal:6379/0",
    "rediss://default:{}@cache.internal:6380",
    "amqps://worker:{}@rabbit.internal:5671/%2f",
    "nats://svc:{}@nats.internal:4222",
    "clickhouse://default:{}@ch.internal:9000/logs",
    "snowflake://loader:{}@xy12345.eu-central-1/DB/PUBLIC?warehouse=WH",
    "https://elastic:{}@es.internal:9200",
    "ldap://cn=admin:{}@ldap.internal:389",
    "smtp://mailer:{}@smtp.example:587",
    "sftp://deploy:{}@files.example/in",
    "Server=tcp:acme.database.windows.net,1433;Initial Catalog=app;User ID=sa;Password={};Encrypt=True;",
    "Driver={{ODBC Driver 18 for SQL Server}};Server=db;Database=app;Uid=app;Pwd={};",
    "Data Source=ora;User Id=scott;Password={};",
    "host=db port=5432 dbname=app user=app password={} sslmode=prefer",
    "jdbc:postgresql://db:5432/app?user=app&password={}",
    "jdbc:sqlserver://db:1433;databaseName=app;user=sa;password={};encrypt=true",
    "jdbc:oracle:thin:scott/{}@db.internal:1521/XE",
    "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey={};EndpointSuffix=core.windows.net",
    "Endpoint=sb://acme.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey={}",
    'bootstrap.servers=k:9092\nsasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="{}";',
    "cassandra: contact_points=[c1,c2] username=app password={}",
)

NAMED: Final = (
    # files
    "DEBUG=1\nPORT=8000\nDJANGO_SECRET_KEY={}\nLANG=C.UTF-8",
    "HOME=/root\nPATH=/usr/bin:/bin\nMYSQL_ROOT_PASSWORD={}\nTZ=UTC",
    "AWS_REGION=eu-west-1\nAWS_SECRET_ACCESS_KEY={}",
    "database:\n  host: db\n  user: app\n  password: {}\n  pool: 5\n",
    "smtp:\n  login: mailer\n  passwd: '{}'\n",
    'auth:\n  clientSecret: "{}"\n  issuer: https://id.example\n',
    "- name: API_TOKEN\n  value: {}\n",
    'apiVersion: v1\nkind: Secret\nstringData:\n  password: "{}"\n',
    '[database]\nhost = "db"\npassword = "{}"\nport = 5432\n',
    "[client]\nuser=root\npassword={}\nhost=localhost",
    "[default]\naws_access_key_id = x\naws_secret_access_key = {}\n",
    "spring.datasource.username=app\nspring.datasource.password={}\n",
    "//registry.npmjs.org/:_authToken={}",
    "machine git.example login bob password {}",
    '<add key="ApiKey" value="{}" />',
    "<password>{}</password>",
    '<user name="x" password="{}"/>',
    "<api_key type='string'>{}</api_key>",
    # shells
    "export GITHUB_TOKEN={}",
    "export STRIPE_SECRET_KEY='{}'; python manage.py run",
    "set DB_PASSWORD={}",
    '$env:API_KEY = "{}"',
    "PGPASSWORD={} psql -h db -U app",
    "docker run -e POSTGRES_PASSWORD={} -d postgres:16",
    "mysqldump --user=root --password={} app > dump.sql",
    "app --host db --password {} --verbose",
    "vault login -token={}",
    "sshpass -p {} ssh deploy@host",
    "redis-cli -a {} ping",
    "curl -u admin:{} https://api.example/v1/users",
    "curl --user 'admin:{}' https://api.example",
    "curl -s -H 'X-Api-Key: {}' https://api.example/v1",
    'curl -H "X-Auth-Token: {}" -d @body https://api.example',
    'curl --data \'{{"grant":"x","client_secret":"{}"}}\' https://id.example/token',
    "wget --http-password={} https://files.example/x",
    "http POST api.example/x Authorization:'Token {}'",
    # HTTP
    "GET /v1/me HTTP/1.1\r\nHost: api.example\r\nX-Api-Key: {}\r\nAccept: */*\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nCookie: theme=dark; sid={}; lang=de\r\nAccept: */*\r\n\r\n",
    "HTTP/1.1 200 OK\r\nSet-Cookie: session={}; Path=/; HttpOnly; SameSite=Lax\r\nContent-Length: 0\r\n",
    "> X-Vault-Token: {}\n< HTTP/2 403",
    "POST /login HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\nusername=bob&password={}&next=%2F",
    "headers={{'Content-Type': 'application/json', 'X-API-KEY': '{}'}}",
    '{{"headers":[["accept","*/*"],["authorization","{}"]]}}',
    "[('host', 'a.example'), ('x-api-key', '{}')]",
    "Headers([(b'x-auth-token', b'{}')])",
    "Authorization: ApiKey {}",
    "Proxy-Authorization: Basic Zm9v{}",
    # code and traces
    "connect(host='db', user='app', password='{}', timeout=3)",
    "TypeError: login() got an unexpected argument: login('bob', password=\"{}\")",
    "User(id=7, name='bob', password_hash='{}', active=True)",
    "LoginForm(username='bob', password=SecretStr('{}'))",
    "{{'user': 'bob', 'password': '{}'}}",
    '{{"data":{{"login":{{"user":"bob","newPassword":"{}"}}}}}}',
    '"{{\\"user\\":\\"bob\\",\\"apiKey\\":\\"{}\\"}}"',
    "Array ( [user] => bob [password] => {} )",
    '%{{"password" => "{}", "user" => "bob"}}',
    '{{:password=>"{}", :user=>"bob"}}',
    'struct Login {{ user: "bob", password: "{}" }}',
    "map[password:{} user:bob]",
    "ALTER USER app WITH PASSWORD '{}'",
    "CREATE USER 'app'@'%' IDENTIFIED BY '{}'",
    "INSERT INTO t VALUES (1); -- secret={}",
    "args: --api-key={} --out=x",
    "config.apiSecret = '{}';",
    'const API_KEY = "{}";',
    'String password = "{}";',
    'password := "{}"',
    "$password = '{}';",
    "password is: {}",
    # people
    "Mein Passwort lautet {} und es geht nicht",
    "my password is {} but login fails",
    "Kennwort: {}",
    "mot de passe : {}",
    "la contraseña es {}",
    "пароль: {}",
    "senha: {}",
    "密码：{}",
    "パスワード: {}",
    "pw: {}",
    "pwd {} did not work",
    "my passphrase is {}",
    "login: bob / password: {}",
    "OTP: {}",
)
"""A value under a name, as files, shells, protocols, programs and people write it."""

KEYS: Final = (
    "password", "Password", "PASSWORD", "pass_word", "passWord", "user.password", "new-password", "password1", "password_confirmation",
    "passwordHash", "db_passwd", "pgpassword", "passphrase", "ssh passphrase", "PassPhrase", "pwd", "userPwd", "secret", "clientSecret",
    "client_secret", "SECRET_KEY", "secretKeyBase", "app-secret", "api_key", "apiKey", "APIKEY", "X-Api-Key", "x_api_key", "http.request.header.x-api-key",
    "api.key.prod", "apikey2", "token", "Token", "accessToken", "access_token", "refresh-token", "id_token", "csrf_token", "csrfmiddlewaretoken",
    "X-CSRF-Token", "xsrfToken", "bot_token", "token_value", "authToken", "auth_token", "Authorization", "authorization", "proxy-authorization", "Proxy_Authorization",
    "http.request.header.authorization", "http.request.header.cookie", "http.response.header.set_cookie", "Cookie", "set-cookie", "session_cookie",
    "PHPSESSID", "JSESSIONID", "sid_token", "private_key", "privateKey", "privkey", "ssh_private_key", "signing_key", "encryption-key", "masterKey", "master_key",
    "credentials", "credential", "userCredentials", "connection_string", "ConnectionString", "DATABASE_DSN", "otp", "otp_code", "totp", "mfa_code", "pin", "PIN", "card_pin",
    "passwort", "Kennwort", "mot_de_passe", "motDePasse", "contraseña", "contrasena", "clave_secreta", "senha", "wachtwoord", "hasło", "haslo", "lösenord", "пароль", "パスワード", "密码",
    "jwt", "user_jwt", "bearer", "bearer_token", "aws_secret_access_key", "AccessKey", "account_key", "SharedAccessKey", "ssn", "webhook_secret", "hmac_secret", "salt_secret",
    "p\u0430ssword", "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44", "pass\u200bword", "PASSWORD\u00ad", "ｔｏｋｅｎ", "\ufb03secret",
)  # fmt: skip
"""Keys whose values are secrets; the last are written in characters that only look like letters."""


def block(r: random.Random) -> str:
    """The body of a private key."""
    return draw(r, ALNUM + "+/", 64)


BLOCKS: Final[tuple[Maker, ...]] = (
    lambda r: (
        f"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,{draw(r, HEX, 32)}\n\n{block(r)}\n{block(r)}\n-----END RSA PRIVATE KEY-----"
    ),
    lambda r: f"-----BEGIN OPENSSH PRIVATE KEY-----\r\n{block(r)}\r\n{block(r)}\r\n-----END OPENSSH PRIVATE KEY-----",
    lambda r: (
        f"-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n{block(r)}\n=abcd\n-----END PGP PRIVATE KEY BLOCK-----"
    ),
    lambda r: f"-----BEGIN EC PRIVATE KEY-----\\n{block(r)}\\n-----END EC PRIVATE KEY-----\\n",
    lambda r: f"-----BEGIN PRIVATE KEY-----\\\\n{block(r)}\\\\n{block(r)}",
    lambda r: f"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n{block(r)}\n---- END SSH2 ENCRYPTED PRIVATE KEY ----",
    lambda r: (
        f"PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPublic-Lines: 1\n{block(r)}\nPrivate-Lines: 1\n{block(r)}"
    ),
    lambda r: "-----BEGIN%20PRIVATE%20KEY-----%0A" + block(r) + "%0A-----END%20PRIVATE%20KEY-----",
    lambda r: f"-----BEGIN DSA PRIVATE KEY----- {block(r)} {block(r)} -----END DSA PRIVATE KEY-----",
)

TOKEN_FRAMES: Final = (
    "{}",
    "Cookie: a=1; id_token={}; b=2",
    "Authorization: Bearer {}",
    "authorization=bearer%20{}",
    "https://app.example/#id_token={}&state=s",
    "https://app.example/verify/{}",
    '{{"t":"{}"}}',
    "jwt malformed: {}",
    "Token ungültig: {}.",
    "[{}]",
    "<token>{}</token>",
    "ws: subprotocols=['auth', '{}']",
)


def password(r: random.Random) -> str:
    """A password with a digit, letters of both cases, and now and then a sign."""
    return r.choice(LOWER) + draw(r, ALNUM, r.randint(6, 14)) + r.choice(["7", "!3", "$9", "_4", "#8", "*2", "1"])


def basic(r: random.Random) -> str:
    """What follows ``Basic``."""
    return base64.b64encode(f"bob:{password(r)}".encode()).decode().rstrip("=")


BASIC_FRAMES: Final = (
    "Basic {}",
    "Authorization: Basic {}\r\nHost: a",
    "basic {} refused",
    "authorization=Basic%20{}&x=1",
)


def mild(r: random.Random) -> str:
    """A password of letters and digits, which an address may hold as it is."""
    return r.choice(LOWER) + draw(r, ALNUM, r.randint(7, 16)) + r.choice(string.digits)


def secrets(r: random.Random) -> list[tuple[str, str, str]]:
    """All lines that hold a secret: key, text, what is in it."""
    found = []

    def add(frame: str, value: str, key: str = "") -> None:
        text = frame.replace("{}", value, 1).replace("{}", value).replace("{{", "{").replace("}}", "}")
        found.append((key or r.choice(["message", "note", "error", "detail", "body", "stdout"]), text, value))

    frames: list[tuple[str, Maker]] = [
        *((frame, make) for make in VENDORS.values() for frame in r.sample(VENDOR_FRAMES, 3)),
        *ADDRESSES,
        *((lead + frame, mild) for frame in CONNECTIONS for lead in ("", "cannot connect to ")),
        *((frame, mild if "&" in frame else password) for frame in NAMED),
        *((lead + "{}", make) for make in BLOCKS for lead in ("", "key loaded from disk: ")),
        *((frame, token) for frame in TOKEN_FRAMES),
        *((frame, basic) for frame in BASIC_FRAMES),
    ]
    for frame, make in frames:
        add(frame, make(r))
    for key in KEYS:
        add("{}", password(r), key)
    return found
