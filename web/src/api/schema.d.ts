// Made by `npm run client` from openapi/selo.json. Do not edit.

export interface Schemas {
  ApiKey: {
    id: string;
    name: string;
    roles: (string)[];
    createdAt: string;
    revokedAt?: string | null;
    key?: string | null;
  };
  AuditRecord: {
    id: string;
    log: string;
    timestamp: string;
    eventType: string;
    actorType: string;
    actorId: string;
    resourceType: string;
    resourceId: string;
    action: string;
    details: Record<string, unknown>;
    ipAddress?: string | null;
    userAgent?: string | null;
    correlationId: string;
  };
  CredentialDetail: Schemas["CredentialSummary"] & {
    reason?: string | null;
    document?: Record<string, unknown> | null;
    history: (Schemas["HistoryEntry"])[];
  };
  CredentialSummary: {
    id: string;
    person: string;
    status: string;
    template: string;
    recipientName?: string | null;
    achievement?: string | null;
    issuedAt?: string | null;
    statusAt?: string | null;
    pageUrl: string;
    recipientUrl?: string | null;
  };
  ErasedBody: {
    person: string;
    credentials: number;
  };
  ErrorBody: {
    code: string;
    message: string;
    remedy: string;
    details: (Schemas["ErrorDetail"])[];
  };
  ErrorDetail: {
    field: string;
    code: string;
    message: string;
  };
  ErrorReply: {
    success: boolean;
    error: Schemas["ErrorBody"];
    requestId: string;
  };
  HistoryEntry: {
    type: string;
    at: string;
    actor: string;
    factId: string;
  };
  JobBody: {
    id: string;
    kind: string;
    state: string;
    total: number;
    done: number;
    failed: number;
    errorCode?: string | null;
    createdAt: string;
    finishedAt?: string | null;
  };
  LogReport: {
    log: string;
    size: number;
    root: string;
    ok: boolean;
    problems: (string)[];
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
    template: string;
    row: Record<string, string>;
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
  Reports: {
    logs: (Schemas["LogReport"])[];
  };
  RowBody: {
    line: number;
    outcome: string;
    credential?: string | null;
    error?: null | Schemas["RowError"];
  };
  RowError: {
    code: string;
    field?: string | null;
    message: string;
    remedy: string;
  };
  Session: {
    user: Schemas["NamedBody"];
    tenant?: null | Schemas["NamedBody"];
    roles: (string)[];
  };
  TemplateBody: {
    id: string;
    name: string;
    kind: string;
    digest: string;
    columns: (Schemas["TemplateColumn"])[];
  };
  TemplateColumn: {
    name: string;
    label: string;
    required: boolean;
    charactersMax: number;
    example: string;
  };
  Tenant: {
    id: string;
    name: string;
    did: string;
    createdAt: string;
  };
}

export interface Operations {
  /** A tenant's keys for programs. */
  "GET /api/v1/api-keys": {
    path: Record<never, never>;
    query: { tenant?: string | null };
    body: undefined;
    data: {
      items: (Schemas["ApiKey"])[];
      nextPageToken?: string | null;
    };
  };
  /** Make a key for a program. It is shown once; keep it. */
  "POST /api/v1/api-keys": {
    path: Record<never, never>;
    query: { tenant?: string | null };
    body: Schemas["NewApiKey"];
    data: Schemas["ApiKey"];
  };
  /** Revoke a key at once. */
  "DELETE /api/v1/api-keys/{id}": {
    path: { id: string };
    query: { tenant?: string | null };
    body: undefined;
    data: string | null;
  };
  /** Search the audit trail, newest first. */
  "GET /api/v1/audit": {
    path: Record<never, never>;
    query: { tenant?: string | null; actor?: string | null; resource?: string | null; correlationId?: string | null; from?: string | null; to?: string | null; limit?: number | null; pageToken?: string | null };
    body: undefined;
    data: {
      items: (Schemas["AuditRecord"])[];
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
    query: { tenant?: string | null; template: string };
    body: string | Blob;
    data: Schemas["JobBody"];
  };
  /** A tenant's credentials, newest first. */
  "GET /api/v1/credentials": {
    path: Record<never, never>;
    query: { tenant?: string | null; status?: string | null; email?: string | null; limit?: number | null; pageToken?: string | null };
    body: undefined;
    data: {
      items: (Schemas["CredentialSummary"])[];
      nextPageToken?: string | null;
    };
  };
  /** Issue one credential. */
  "POST /api/v1/credentials": {
    path: Record<never, never>;
    query: { tenant?: string | null };
    body: Schemas["NewCredential"];
    data: Schemas["CredentialSummary"];
  };
  /** A credential with its document and history. */
  "GET /api/v1/credentials/{id}": {
    path: { id: string };
    query: { tenant?: string | null };
    body: undefined;
    data: Schemas["CredentialDetail"];
  };
  /** A credential to take home: `credential.json`, `diploma.png` or `diploma.pdf`, each with the document inside. */
  "GET /api/v1/credentials/{id}/files/{file}": {
    path: { id: string; file: string };
    query: { tenant?: string | null };
    body: undefined;
    data: Blob;
  };
  /** Bring a suspended credential back into force. */
  "POST /api/v1/credentials/{id}/reinstate": {
    path: { id: string };
    query: { tenant?: string | null };
    body: Schemas["Reason"];
    data: Schemas["CredentialSummary"];
  };
  /** Revoke a credential, for good. */
  "POST /api/v1/credentials/{id}/revoke": {
    path: { id: string };
    query: { tenant?: string | null };
    body: Schemas["Reason"];
    data: Schemas["CredentialSummary"];
  };
  /** Suspend a credential, for now. */
  "POST /api/v1/credentials/{id}/suspend": {
    path: { id: string };
    query: { tenant?: string | null };
    body: Schemas["Reason"];
    data: Schemas["CredentialSummary"];
  };
  /** A tenant's jobs, newest first. */
  "GET /api/v1/jobs": {
    path: Record<never, never>;
    query: { tenant?: string | null; limit?: number | null; pageToken?: string | null };
    body: undefined;
    data: {
      items: (Schemas["JobBody"])[];
      nextPageToken?: string | null;
    };
  };
  /** The progress of a job. */
  "GET /api/v1/jobs/{id}": {
    path: { id: string };
    query: { tenant?: string | null };
    body: undefined;
    data: Schemas["JobBody"];
  };
  /** The failed rows as a table: the original columns, the error's code and its sentence. Mend it and hand it in again. */
  "GET /api/v1/jobs/{id}/failed.csv": {
    path: { id: string };
    query: { tenant?: string | null };
    body: undefined;
    data: Blob;
  };
  /** The rows of a table, in the order of their lines. */
  "GET /api/v1/jobs/{id}/rows": {
    path: { id: string };
    query: { tenant?: string | null; outcome?: string | null; limit?: number | null; pageToken?: string | null };
    body: undefined;
    data: {
      items: (Schemas["RowBody"])[];
      nextPageToken?: string | null;
    };
  };
  /** Compute every log again: leaves from facts, tiles from leaves, roots under checkpoints. */
  "POST /api/v1/log/verify": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    data: Schemas["Reports"];
  };
  /** Forget a person: the key that seals everything personal is destroyed. It cannot be undone. */
  "POST /api/v1/people/{id}/erase": {
    path: { id: string };
    query: { tenant?: string | null };
    body: undefined;
    data: Schemas["ErasedBody"];
  };
  /** Who is asking. */
  "GET /api/v1/session": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    data: Schemas["Session"];
  };
  /** Enter by a one-time link: works once, for 15 minutes, on the machine of the house. */
  "POST /api/v1/session": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: Schemas["OnceBody"];
    data: Schemas["Session"];
  };
  /** Leave. */
  "DELETE /api/v1/session": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    data: string | null;
  };
  /** The templates. */
  "GET /api/v1/templates": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    data: {
      items: (Schemas["TemplateBody"])[];
      nextPageToken?: string | null;
    };
  };
  /** The tenants of the house. */
  "GET /api/v1/tenants": {
    path: Record<never, never>;
    query: { limit?: number | null; pageToken?: string | null };
    body: undefined;
    data: {
      items: (Schemas["Tenant"])[];
      nextPageToken?: string | null;
    };
  };
  /** Make a tenant with its first issuing key. */
  "POST /api/v1/tenants": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: Schemas["NewTenant"];
    data: Schemas["Tenant"];
  };
}
