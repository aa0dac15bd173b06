// Made by `npm run client` from openapi/selo.json. Do not edit.

export interface Schemas {
  CheckBody: {
    code: string;
    field?: string | null;
    reason: string;
    remedy: string;
    result: string;
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
  HistoryEntry: {
    actor: string;
    at: string;
    factId: string;
    type: string;
  };
  Known: {
    type: string;
    value: string;
  };
  LogReport: {
    log: string;
    ok: boolean;
    problems: (string)[];
    root: string;
    size: number;
  };
  NamedBody: {
    id: string;
    name: string;
  };
  NewApiKey: {
    name: string;
    roles: (string)[];
  };
  NewCredential: {
    row: Record<string, string>;
    template: string;
  };
  NewTenant: {
    name: string;
  };
  OnceBody: {
    token: string;
  };
  Reason: {
    reason: string;
  };
  RowError: {
    code: string;
    field?: string | null;
    message: string;
    remedy: string;
  };
  TemplateColumn: {
    charactersMax: number;
    example: string;
    label: string;
    name: string;
    required: boolean;
  };
}

export interface Operations {
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
