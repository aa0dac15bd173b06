// Made by `npm run client` from openapi/selo.json. Do not edit.

export interface Schemas {
  Against: {
    code: string;
    field?: string | null;
    message: string;
    remedy: string;
  };
  AuthorityBody: {
    certificate: string;
    environment: string;
    handle: string;
    id: string;
    kind: string;
    name: string;
    notAfter: string;
    notBefore: string;
    parent?: string | null;
    shards: number;
    state: string;
  };
  BoundCertificate: {
    certificate: string;
  };
  CeremonyOrder: {
    country?: string;
    dryRun?: boolean;
    environment?: string;
    issuingName?: string;
    operators?: (string)[];
    organisation?: string;
    permittedDns?: (string)[];
    permittedIp?: (string)[];
    place?: string;
    policyArc?: string;
    rootName?: string;
    serviceNames?: (string)[];
    shares?: number;
    successor?: boolean;
    threshold?: number;
    witnesses?: (string)[];
  };
  CertificateSummary: {
    authority: string;
    id: string;
    invalidSince?: string | null;
    issuedAt?: string | null;
    names: (string)[];
    notAfter: string;
    notBefore: string;
    owner: string;
    profile: string;
    reason?: string | null;
    renewAt: string;
    revokedAt?: string | null;
    serial: string;
    source: string;
    spkiSha256: string;
    state: string;
    subject: string;
  };
  CheckBody: {
    code: string;
    field?: string | null;
    reason: string;
    remedy: string;
    result: string;
  };
  CountsBody: {
    inForce: number;
    issued: number;
    overdue: number;
    revoked: number;
    within14Days: number;
    within1Day: number;
    within30Days: number;
    within7Days: number;
  };
  CredentialSummary: {
    achievement?: string | null;
    id: string;
    issuedAt?: string | null;
    pageUrl: string;
    person: string;
    recipientName?: string | null;
    recipientUrl?: string | null;
    status: string;
    statusAt?: string | null;
    template: string;
  };
  EnvironmentBody: {
    authorities: (Schemas["AuthorityBody"])[];
    counts: Schemas["CountsBody"];
    lists: (Schemas["ListBody"])[];
    name: string;
  };
  ErrorBody: {
    code: string;
    details: (Schemas["ErrorDetail"])[];
    message: string;
    remedy: string;
  };
  ErrorDetail: {
    code: string;
    field: string;
    message: string;
  };
  ErrorReply: {
    error: Schemas["ErrorBody"];
    requestId: string;
    success: boolean;
  };
  FindingBody: {
    citation: string;
    detail: string;
    rule: string;
    severity: string;
  };
  HistoryEntry: {
    actor: string;
    at: string;
    factId: string;
    type: string;
  };
  KeyBody: {
    createdAt: string;
    dns?: (string)[] | null;
    environment: string;
    expiresAt: string;
    id: string;
    ip?: (string)[] | null;
    madeBy: string;
    profiles?: (string)[] | null;
    revokedAt?: string | null;
    state: string;
    usesLeft: number;
  };
  Known: {
    type: string;
    value: string;
  };
  ListBody: {
    authority: string;
    nextUpdate?: string | null;
    number: number;
    shard: number;
    thisUpdate?: string | null;
  };
  LogBody: {
    name: string;
    size: number;
  };
  LogReport: {
    log: string;
    ok: boolean;
    problems: (string)[];
    root: string;
    size: number;
    waiting: number;
  };
  NamedBody: {
    id: string;
    name: string;
  };
  NewAccount: {
    name: string;
    networks?: (string)[];
    permissions: (string)[];
  };
  NewApiKey: {
    name: string;
    roles: (string)[];
  };
  NewCertificate: {
    commonName?: string | null;
    csr?: string | null;
    dns?: (string)[];
    email?: (string)[];
    environment?: string | null;
    ip?: (string)[];
    lifetimeSeconds?: number | null;
    owner?: string;
    profile: string;
    publicKey?: string | null;
    uri?: (string)[];
  };
  NewCredential: {
    row: Record<string, string>;
    template: string;
  };
  NewHierarchy: {
    order: Schemas["CeremonyOrder"];
    rootPublicKey: string;
  };
  NewKey: {
    days?: number;
    dns?: (string)[];
    environment?: string | null;
    ip?: (string)[];
    profiles?: (string)[];
    uses?: number;
  };
  NewRequest: {
    environment?: string | null;
    issuing?: boolean;
    keys?: string | null;
    list?: boolean;
    reason?: string;
    revoke?: (Schemas["Withdrawal"])[];
    root?: string | null;
  };
  NewTenant: {
    name: string;
  };
  OnceBody: {
    token: string;
  };
  PartKind: "issuing" | "crl";
  Reason: {
    reason: string;
  };
  RequestPart: {
    kind: Schemas["PartKind"];
    sha256: string;
    tbs: string;
  };
  ResponsePart: {
    kind: Schemas["PartKind"];
    signed: string;
  };
  Revocation: {
    invalidSince?: string | null;
    reason: string;
  };
  Revocations: {
    authority?: string | null;
    certificates?: (string)[] | null;
    invalidSince?: string | null;
    preview?: boolean;
    reason: string;
    spkiSha256?: string | null;
  };
  RootRequest: {
    environment: string;
    format: string;
    id: string;
    parts: (Schemas["RequestPart"])[];
    plannedAt: string;
    reason: string;
    root: string;
  };
  RootResponse: {
    format: string;
    id: string;
    parts: (Schemas["ResponsePart"])[];
  };
  RowError: {
    code: string;
    field?: string | null;
    message: string;
    remedy: string;
  };
  SignedHierarchy: {
    crl: string;
    issuing: string;
    root: string;
    shareFingerprints?: (string)[];
  };
  TemplateColumn: {
    charactersMax: number;
    example: string;
    label: string;
    name: string;
    required: boolean;
  };
  Withdrawal: {
    authority: string;
    reason: string;
  };
}

export interface Operations {
  /** A tenant's accounts of partners' programs. */
  "GET /api/v1/accounts": {
    path: Record<never, never>;
    query: { tenant?: string };
    body: undefined;
    data: {
      items: ({
        closedAt?: string | null;
        createdAt: string;
        id: string;
        name: string;
        networks: (string)[];
        permissions: (string)[];
      })[];
      nextPageToken?: string | null;
    };
  };
  /** Make an account for a partner's program. It enters nowhere until a certificate is bound to it. */
  "POST /api/v1/accounts": {
    path: Record<never, never>;
    query: { tenant?: string };
    body: Schemas["NewAccount"];
    data: {
      closedAt?: string | null;
      createdAt: string;
      id: string;
      name: string;
      networks: (string)[];
      permissions: (string)[];
    };
  };
  /** Close an account, at once and for good. */
  "DELETE /api/v1/accounts/{id}": {
    path: { id: string };
    query: { tenant?: string };
    body: undefined;
    data: null | string;
  };
  /** Bind a certificate to an account: whoever shows it enters the partner zone as this account, while it is in force. */
  "POST /api/v1/accounts/{id}/certificates": {
    path: { id: string };
    query: { tenant?: string };
    body: Schemas["BoundCertificate"];
    data: null | string;
  };
  /** A tenant's keys for programs. */
  "GET /api/v1/api-keys": {
    path: Record<never, never>;
    query: { tenant?: string };
    body: undefined;
    data: {
      items: ({
        createdAt: string;
        id: string;
        key?: string | null;
        name: string;
        revokedAt?: string | null;
        roles: (string)[];
      })[];
      nextPageToken?: string | null;
    };
  };
  /** Make a key for a program. It is shown once; keep it. */
  "POST /api/v1/api-keys": {
    path: Record<never, never>;
    query: { tenant?: string };
    body: Schemas["NewApiKey"];
    data: {
      createdAt: string;
      id: string;
      key?: string | null;
      name: string;
      revokedAt?: string | null;
      roles: (string)[];
    };
  };
  /** Revoke a key at once. */
  "DELETE /api/v1/api-keys/{id}": {
    path: { id: string };
    query: { tenant?: string };
    body: undefined;
    data: null | string;
  };
  /** Search the audit trail, newest first. */
  "GET /api/v1/audit": {
    path: Record<never, never>;
    query: { tenant?: string; actor?: string; resource?: string; correlationId?: string; from?: string; to?: string; limit?: number; pageToken?: string };
    body: undefined;
    data: {
      items: ({
        action: string;
        actorId: string;
        actorType: string;
        correlationId: string;
        details: Record<string, unknown>;
        eventType: string;
        id: string;
        ipAddress?: string | null;
        log: string;
        resourceId: string;
        resourceType: string;
        timestamp: string;
        userAgent?: string | null;
      })[];
      nextPageToken?: string | null;
    };
  };
  /** The proof that a fact, or the issuing of a credential, stands in its log (C2SP tlog-proof). */
  "GET /api/v1/audit/proof/{id}": {
    path: { id: string };
    query: Record<never, never>;
    body: undefined;
    data: Blob;
  };
  /** Hand in a table (CSV, UTF-8 or Windows-1252; the first line names the columns). A job issues its rows. */
  "POST /api/v1/batches": {
    path: Record<never, never>;
    query: { tenant?: string; template: string };
    body: string | Blob;
    data: {
      createdAt: string;
      done: number;
      errorCode?: string | null;
      failed: number;
      finishedAt?: string | null;
      id: string;
      kind: string;
      state: string;
      total: number;
    };
  };
  /** A tenant's credentials, newest first. */
  "GET /api/v1/credentials": {
    path: Record<never, never>;
    query: { tenant?: string; status?: string; email?: string; limit?: number; pageToken?: string };
    body: undefined;
    data: {
      items: ({
        achievement?: string | null;
        id: string;
        issuedAt?: string | null;
        pageUrl: string;
        person: string;
        recipientName?: string | null;
        recipientUrl?: string | null;
        status: string;
        statusAt?: string | null;
        template: string;
      })[];
      nextPageToken?: string | null;
    };
  };
  /** Issue one credential. */
  "POST /api/v1/credentials": {
    path: Record<never, never>;
    query: { tenant?: string };
    body: Schemas["NewCredential"];
    data: {
      achievement?: string | null;
      id: string;
      issuedAt?: string | null;
      pageUrl: string;
      person: string;
      recipientName?: string | null;
      recipientUrl?: string | null;
      status: string;
      statusAt?: string | null;
      template: string;
    };
  };
  /** A credential with its document and history. */
  "GET /api/v1/credentials/{id}": {
    path: { id: string };
    query: { tenant?: string };
    body: undefined;
    data: Schemas["CredentialSummary"] & {
      document?: Record<string, unknown> | null;
      history: (Schemas["HistoryEntry"])[];
      reason?: string | null;
    };
  };
  /** A credential to take home: `credential.json`, `diploma.png` or `diploma.pdf`, each with the document inside. */
  "GET /api/v1/credentials/{id}/files/{file}": {
    path: { id: string; file: string };
    query: { tenant?: string };
    body: undefined;
    data: Blob;
  };
  /** Bring a suspended credential back into force. */
  "POST /api/v1/credentials/{id}/reinstate": {
    path: { id: string };
    query: { tenant?: string };
    body: Schemas["Reason"];
    data: {
      achievement?: string | null;
      id: string;
      issuedAt?: string | null;
      pageUrl: string;
      person: string;
      recipientName?: string | null;
      recipientUrl?: string | null;
      status: string;
      statusAt?: string | null;
      template: string;
    };
  };
  /** Revoke a credential, for good. */
  "POST /api/v1/credentials/{id}/revoke": {
    path: { id: string };
    query: { tenant?: string };
    body: Schemas["Reason"];
    data: {
      achievement?: string | null;
      id: string;
      issuedAt?: string | null;
      pageUrl: string;
      person: string;
      recipientName?: string | null;
      recipientUrl?: string | null;
      status: string;
      statusAt?: string | null;
      template: string;
    };
  };
  /** Suspend a credential, for now. */
  "POST /api/v1/credentials/{id}/suspend": {
    path: { id: string };
    query: { tenant?: string };
    body: Schemas["Reason"];
    data: {
      achievement?: string | null;
      id: string;
      issuedAt?: string | null;
      pageUrl: string;
      person: string;
      recipientName?: string | null;
      recipientUrl?: string | null;
      status: string;
      statusAt?: string | null;
      template: string;
    };
  };
  /** A tenant's jobs, newest first. */
  "GET /api/v1/jobs": {
    path: Record<never, never>;
    query: { tenant?: string; limit?: number; pageToken?: string };
    body: undefined;
    data: {
      items: ({
        createdAt: string;
        done: number;
        errorCode?: string | null;
        failed: number;
        finishedAt?: string | null;
        id: string;
        kind: string;
        state: string;
        total: number;
      })[];
      nextPageToken?: string | null;
    };
  };
  /** The progress of a job. */
  "GET /api/v1/jobs/{id}": {
    path: { id: string };
    query: { tenant?: string };
    body: undefined;
    data: {
      createdAt: string;
      done: number;
      errorCode?: string | null;
      failed: number;
      finishedAt?: string | null;
      id: string;
      kind: string;
      state: string;
      total: number;
    };
  };
  /** The failed rows as a table: the original columns, the error's code and its sentence. Mend it and hand it in again. */
  "GET /api/v1/jobs/{id}/failed.csv": {
    path: { id: string };
    query: { tenant?: string };
    body: undefined;
    data: Blob;
  };
  /** The rows of a table, in the order of their lines. */
  "GET /api/v1/jobs/{id}/rows": {
    path: { id: string };
    query: { tenant?: string; outcome?: string; limit?: number; pageToken?: string };
    body: undefined;
    data: {
      items: ({
        credential?: string | null;
        error?: Schemas["RowError"] | null;
        line: number;
        outcome: string;
      })[];
      nextPageToken?: string | null;
    };
  };
  /** Give a tenant a new issuing key. What the old one signed stays good. */
  "POST /api/v1/keys/rotate": {
    path: Record<never, never>;
    query: { tenant?: string };
    body: undefined;
    data: {
      key: string;
    };
  };
  /** Compute every log again: leaves from facts, tiles from leaves, roots under checkpoints. */
  "POST /api/v1/log/verify": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    data: {
      logs: (Schemas["LogReport"])[];
    };
  };
  /** Forget a person: the key that seals everything personal is destroyed. It cannot be undone. */
  "POST /api/v1/people/{id}/erase": {
    path: { id: string };
    query: { tenant?: string };
    body: undefined;
    data: {
      credentials: number;
      person: string;
    };
  };
  /** The authorities by environment, the root first. */
  "GET /api/v1/pki/authorities": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    data: {
      items: ({
        certificate: string;
        environment: string;
        handle: string;
        id: string;
        kind: string;
        name: string;
        notAfter: string;
        notBefore: string;
        parent?: string | null;
        shards: number;
        state: string;
      })[];
      nextPageToken?: string | null;
    };
  };
  /** Certificates, newest first. A search by name or suffix goes by the name, one by `expiresBefore` by the end unless an owner is named. */
  "GET /api/v1/pki/certificates": {
    path: Record<never, never>;
    query: { name?: string; suffix?: string; state?: string; profile?: string; owner?: string; expiresBefore?: string; expiresAfter?: string; limit?: number; pageToken?: string };
    body: undefined;
    data: {
      items: ({
        authority: string;
        id: string;
        invalidSince?: string | null;
        issuedAt?: string | null;
        names: (string)[];
        notAfter: string;
        notBefore: string;
        owner: string;
        profile: string;
        reason?: string | null;
        renewAt: string;
        revokedAt?: string | null;
        serial: string;
        source: string;
        spkiSha256: string;
        state: string;
        subject: string;
      })[];
      nextPageToken?: string | null;
    };
  };
  /** Issue a certificate. */
  "POST /api/v1/pki/certificates": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: Schemas["NewCertificate"];
    data: Schemas["CertificateSummary"] & {
      certificate?: string | null;
      chain?: string | null;
    };
  };
  /** A certificate with its chain. */
  "GET /api/v1/pki/certificates/{id}": {
    path: { id: string };
    query: Record<never, never>;
    body: undefined;
    data: Schemas["CertificateSummary"] & {
      certificate?: string | null;
      chain?: string | null;
    };
  };
  /** The proof that the issuing of a certificate stands in the log `ca` (C2SP tlog-proof). */
  "GET /api/v1/pki/certificates/{id}/proof": {
    path: { id: string };
    query: Record<never, never>;
    body: undefined;
    data: Blob;
  };
  /** Revoke a certificate, for good. A compromised key takes every certificate that holds it along. */
  "POST /api/v1/pki/certificates/{id}/revoke": {
    path: { id: string };
    query: Record<never, never>;
    body: Schemas["Revocation"];
    data: {
      items: ({
        authority: string;
        id: string;
        invalidSince?: string | null;
        issuedAt?: string | null;
        names: (string)[];
        notAfter: string;
        notBefore: string;
        owner: string;
        profile: string;
        reason?: string | null;
        renewAt: string;
        revokedAt?: string | null;
        serial: string;
        source: string;
        spkiSha256: string;
        state: string;
        subject: string;
      })[];
      nextPageToken?: string | null;
    };
  };
  /** What happened to a certificate, oldest first, each fact with its place in the log `ca` and its proof. */
  "GET /api/v1/pki/certificates/{id}/timeline": {
    path: { id: string };
    query: Record<never, never>;
    body: undefined;
    data: {
      items: ({
        actor: string;
        at: string;
        fact?: string | null;
        index?: number | null;
        proof?: string | null;
        reason?: string | null;
        what: string;
      })[];
      nextPageToken?: string | null;
    };
  };
  /** Say whether a certificate would be issued, for how long, and every reason against. Nothing is stored. */
  "POST /api/v1/pki/explain": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: Schemas["NewCertificate"];
    data: {
      allowed: boolean;
      authority: string;
      environment: string;
      findings: (Schemas["FindingBody"])[];
      lifetimeSeconds?: number | null;
      names: (string)[];
      notAfter?: string | null;
      notBefore?: string | null;
      reasons: (Schemas["Against"])[];
    };
  };
  /** The inventory, or what a search finds in it, at most 100,000 certificates. */
  "GET /api/v1/pki/export": {
    path: Record<never, never>;
    query: { format?: string; name?: string; suffix?: string; state?: string; profile?: string; owner?: string; expiresBefore?: string; expiresAfter?: string };
    body: undefined;
    data: Blob;
  };
  /** External keys, newest first, without their secrets. */
  "GET /api/v1/pki/external-keys": {
    path: Record<never, never>;
    query: { limit?: number; pageToken?: string };
    body: undefined;
    data: {
      items: ({
        createdAt: string;
        dns?: (string)[] | null;
        environment: string;
        expiresAt: string;
        id: string;
        ip?: (string)[] | null;
        madeBy: string;
        profiles?: (string)[] | null;
        revokedAt?: string | null;
        state: string;
        usesLeft: number;
      })[];
      nextPageToken?: string | null;
    };
  };
  /** Make an external key, with which somebody opens accounts of ACME. Its secret is shown once. */
  "POST /api/v1/pki/external-keys": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: Schemas["NewKey"];
    data: Schemas["KeyBody"] & {
      hmacKey: string;
    };
  };
  /** Take an external key back, for good: the accounts that it opened are closed with it. */
  "POST /api/v1/pki/external-keys/{id}/revoke": {
    path: { id: string };
    query: Record<never, never>;
    body: undefined;
    data: {
      createdAt: string;
      dns?: (string)[] | null;
      environment: string;
      expiresAt: string;
      id: string;
      ip?: (string)[] | null;
      madeBy: string;
      profiles?: (string)[] | null;
      revokedAt?: string | null;
      state: string;
      usesLeft: number;
    };
  };
  /** Plan a hierarchy: the exact bytes that its root is to sign. Nothing is issued yet. */
  "POST /api/v1/pki/init": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: Schemas["NewHierarchy"];
    data: {
      crl: string;
      id?: string | null;
      issuing: string;
      root: string;
    };
  };
  /** Finish a hierarchy with what its root signed. */
  "POST /api/v1/pki/init/{id}/finish": {
    path: { id: string };
    query: Record<never, never>;
    body: Schemas["SignedHierarchy"];
    data: {
      crl: string;
      issuing: string;
      root: string;
      transcript: Record<string, unknown>;
    };
  };
  /** Certificates in force that have passed two thirds of their life and that none of the same names follows, those that end first. */
  "GET /api/v1/pki/overdue": {
    path: Record<never, never>;
    query: { limit?: number; pageToken?: string };
    body: undefined;
    data: {
      items: ({
        authority: string;
        id: string;
        invalidSince?: string | null;
        issuedAt?: string | null;
        names: (string)[];
        notAfter: string;
        notBefore: string;
        owner: string;
        profile: string;
        reason?: string | null;
        renewAt: string;
        revokedAt?: string | null;
        serial: string;
        source: string;
        spkiSha256: string;
        state: string;
        subject: string;
      })[];
      nextPageToken?: string | null;
    };
  };
  /** Each environment with its authorities, how its certificates stand, its lists, and the size of the log `ca`. */
  "GET /api/v1/pki/overview": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    data: {
      environments: (Schemas["EnvironmentBody"])[];
      log: Schemas["LogBody"];
    };
  };
  /** What was refused, newest first, with the reason and what to do. */
  "GET /api/v1/pki/refusals": {
    path: Record<never, never>;
    query: { limit?: number; pageToken?: string };
    body: undefined;
    data: {
      items: ({
        actor: string;
        at: string;
        code: string;
        fact: string;
        index?: number | null;
        message: string;
        profile?: string | null;
        remedy: string;
        request: string;
      })[];
      nextPageToken?: string | null;
    };
  };
  /** Revoke a batch of many certificates, for good: ask again until none is left. Each has its own record. */
  "POST /api/v1/pki/revocations": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: Schemas["Revocations"];
    data: {
      left: number;
      matched: number;
      revoked: number;
      unknown: (string)[];
    };
  };
  /** What roots were asked for, newest first. */
  "GET /api/v1/pki/root-requests": {
    path: Record<never, never>;
    query: { limit?: number; pageToken?: string };
    body: undefined;
    data: {
      items: ({
        askedBy: string;
        endedAt?: string | null;
        environment: string;
        file: Schemas["RootRequest"];
        id: string;
        plannedAt: string;
        reason: string;
        state: string;
      })[];
      nextPageToken?: string | null;
    };
  };
  /** Plan what a root is asked for: an issuing authority, its next list, the end of an authority. */
  "POST /api/v1/pki/root-requests": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: Schemas["NewRequest"];
    data: {
      askedBy: string;
      endedAt?: string | null;
      environment: string;
      file: Schemas["RootRequest"];
      id: string;
      plannedAt: string;
      reason: string;
      state: string;
    };
  };
  /** Take a root's answer in: the planned bytes under its signature, or nothing. */
  "POST /api/v1/pki/root-requests/accept": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: Schemas["RootResponse"];
    data: {
      crl?: string | null;
      issuing?: Schemas["AuthorityBody"] | null;
      retired: (string)[];
      revoked: (string)[];
    };
  };
  /** Give an open request up. What it planned counts as revoked, since it may have been signed. */
  "POST /api/v1/pki/root-requests/{id}/abandon": {
    path: { id: string };
    query: Record<never, never>;
    body: undefined;
    data: {
      id: string;
      state: string;
    };
  };
  /** Who is asking. */
  "GET /api/v1/session": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    data: {
      roles: (string)[];
      tenant?: Schemas["NamedBody"] | null;
      user: Schemas["NamedBody"];
    };
  };
  /** Enter by a one-time link: works once, for 15 minutes, on the machine of the house. */
  "POST /api/v1/session": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: Schemas["OnceBody"];
    data: {
      roles: (string)[];
      tenant?: Schemas["NamedBody"] | null;
      user: Schemas["NamedBody"];
    };
  };
  /** Leave. */
  "DELETE /api/v1/session": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    data: null | string;
  };
  /** The templates. */
  "GET /api/v1/templates": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    data: {
      items: ({
        columns: (Schemas["TemplateColumn"])[];
        digest: string;
        id: string;
        kind: string;
        name: string;
      })[];
      nextPageToken?: string | null;
    };
  };
  /** The tenants of the house. */
  "GET /api/v1/tenants": {
    path: Record<never, never>;
    query: { limit?: number; pageToken?: string };
    body: undefined;
    data: {
      items: ({
        createdAt: string;
        did: string;
        id: string;
        name: string;
      })[];
      nextPageToken?: string | null;
    };
  };
  /** Make a tenant with its first issuing key. */
  "POST /api/v1/tenants": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: Schemas["NewTenant"];
    data: {
      createdAt: string;
      did: string;
      id: string;
      name: string;
    };
  };
  /** Check a credential. */
  "POST /api/v1/verify": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: {
      credential: Record<string, unknown>;
      known?: Schemas["Known"] | null;
      requireTrust?: boolean;
    };
    data: {
      carrier?: string | null;
      checks: (Schemas["CheckBody"])[];
      fields: (Record<string, unknown>)[];
      format?: string | null;
      issuer: Record<string, unknown>;
      link?: Record<string, unknown> | null;
      outcome: string;
      status: Record<string, unknown>;
      subject: Record<string, unknown>;
      trusted: boolean;
      valid: boolean;
      validity: Record<string, unknown>;
      verifiedAt: string;
    };
  };
}
