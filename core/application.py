"""The one typed facade that everything outside calls."""

from dataclasses import dataclass

from core.analytics.use_cases import (
    CountConversations,
    CountForms,
    CountOrders,
    CountProducts,
    CountRevenue,
    SumUp,
)
from core.catalogue.storefront import ReadStorefront
from core.catalogue.use_cases import (
    AddProduct,
    AdjustStock,
    ChangeProduct,
    ListProducts,
    ReadProduct,
    RemoveProduct,
)
from core.conversations.answering import AnswerCustomer
from core.conversations.closing import CloseSilent
from core.conversations.inbox import (
    ChangeConversation,
    DeleteConversation,
    DeleteMessage,
    ListConversations,
    MarkReadByAgent,
    PostFromInbox,
    ReadConversation,
    ReadMessages,
    StartConversation,
)
from core.conversations.joining import AgentTypes, JoinShop
from core.conversations.online import ListOnline
from core.conversations.rooms import FollowConversation, FollowSession
from core.conversations.visitor import (
    CustomerTypes,
    MarkReadByCustomer,
    OpenSession,
    PostCustomerMessage,
    ReadHistory,
    ReadThread,
)
from core.exports.use_cases import BeginExport, ReadExport
from core.files.serving import ReadFile, SweepFiles
from core.files.uploading import BeginUpload, CompleteUpload, LocateConversation, ReceiveUpload
from core.forms.use_cases import AddForm, ChangeForm, ListForms, RemoveForm
from core.identity.admins import GrantAdmin, ListAdmins, RevokeAdmin
from core.identity.authentication import (
    Authenticate,
    AuthenticateSocket,
    AuthenticateVisitor,
    IssueAdminSocket,
    IssueSocket,
    IssueVisitor,
)
from core.identity.people import ChangeAccount, FindPerson, ListPeople
from core.identity.use_cases import (
    CheckLogin,
    EnsureProfile,
    LogIn,
    LogOut,
    ReadCookie,
    Refresh,
    Register,
    WhoAmI,
)
from core.notifications.pushing import PushNotification
from core.notifications.subscribing import ReadPushKey, SubscribeToPushes, UnsubscribeFromPushes
from core.notifications.use_cases import DeleteNotifications, ListNotifications, ReadNotifications
from core.orders.submitting import SubmitForm
from core.orders.telling import TellCustomer
from core.orders.use_cases import (
    ChangeOrder,
    ChangeStatus,
    DeleteOrder,
    ListOrders,
    PlaceOrder,
    ReadOrder,
)
from core.shops.approval import ApproveSubscription, RejectSubscription, RequestUpgrade, SurveyShops
from core.shops.deletion import DeleteShop
from core.shops.documents import EditShop, RememberShop
from core.shops.members import AddMember, ChangeRole, ListTeam, RemoveMember
from core.shops.use_cases import (
    AllowOrigins,
    FindShop,
    ListShops,
    OpenShop,
    ReadKeys,
    ReadShop,
    ReplaceAdminKey,
)
from core.sites.pages import ReadPages
from core.sites.resolution import ResolveShop
from core.sites.use_cases import AddSite, ChangeSite, ListSites, RemoveSite
from core.visits.identity import ReadIdentitySecret, RotateIdentitySecret
from core.visits.use_cases import EnterSession, FindSession
from core.webhooks.log import ListDeliveries, ReadDelivery, ReplayDelivery
from core.webhooks.sending import ServeEndpoints
from core.webhooks.use_cases import (
    ChangeWebhook,
    CreateWebhook,
    DeleteWebhook,
    ListWebhooks,
    ReadWebhook,
    RotateSecret,
    SendTest,
)


@dataclass(frozen=True, slots=True)
class IdentityUseCases:
    authenticate: Authenticate
    authenticate_visitor: AuthenticateVisitor
    authenticate_socket: AuthenticateSocket
    issue_visitor: IssueVisitor
    issue_socket: IssueSocket
    issue_admin_socket: IssueAdminSocket
    register: Register
    log_in: LogIn
    log_out: LogOut
    refresh: Refresh
    read_cookie: ReadCookie
    check_login: CheckLogin
    who_am_i: WhoAmI
    ensure_profile: EnsureProfile
    people: ListPeople
    find_person: FindPerson
    change_account: ChangeAccount


@dataclass(frozen=True, slots=True)
class ShopUseCases:
    open: OpenShop
    list: ListShops
    read: ReadShop
    edit: EditShop
    remember: RememberShop
    request_upgrade: RequestUpgrade
    delete: DeleteShop
    allow_origins: AllowOrigins
    read_keys: ReadKeys
    replace_admin_key: ReplaceAdminKey
    find: FindShop


@dataclass(frozen=True, slots=True)
class TeamUseCases:
    list: ListTeam
    add: AddMember
    change_role: ChangeRole
    remove: RemoveMember


@dataclass(frozen=True, slots=True)
class PlatformUseCases:
    """What only the platform's own admins do."""

    admins: ListAdmins
    grant: GrantAdmin
    revoke: RevokeAdmin
    shops: SurveyShops
    approve: ApproveSubscription
    reject: RejectSubscription


@dataclass(frozen=True, slots=True)
class SiteUseCases:
    list: ListSites
    add: AddSite
    change: ChangeSite
    remove: RemoveSite
    resolve: ResolveShop
    pages: ReadPages
    read_identity_secret: ReadIdentitySecret
    rotate_identity_secret: RotateIdentitySecret


@dataclass(frozen=True, slots=True)
class VisitorUseCases:
    open_session: OpenSession
    post: PostCustomerMessage
    history: ReadHistory
    thread: ReadThread
    enter: EnterSession
    find_session: FindSession
    mark_read: MarkReadByCustomer
    types: CustomerTypes


@dataclass(frozen=True, slots=True)
class RoomUseCases:
    """What connected pages may follow, and whom admins see there."""

    follow_session: FollowSession
    follow_conversation: FollowConversation
    online: ListOnline


@dataclass(frozen=True, slots=True)
class InboxUseCases:
    list: ListConversations
    read: ReadConversation
    messages: ReadMessages
    start: StartConversation
    change: ChangeConversation
    post: PostFromInbox
    delete: DeleteConversation
    delete_message: DeleteMessage
    mark_read: MarkReadByAgent
    join: JoinShop
    types: AgentTypes


@dataclass(frozen=True, slots=True)
class CatalogueUseCases:
    list: ListProducts
    read: ReadProduct
    add: AddProduct
    change: ChangeProduct
    remove: RemoveProduct
    adjust_stock: AdjustStock


@dataclass(frozen=True, slots=True)
class FormUseCases:
    list: ListForms
    add: AddForm
    change: ChangeForm
    remove: RemoveForm


@dataclass(frozen=True, slots=True)
class StorefrontUseCases:
    """What customers see of a shop, and send it."""

    read: ReadStorefront
    submit: SubmitForm


@dataclass(frozen=True, slots=True)
class OrderUseCases:
    list: ListOrders
    read: ReadOrder
    place: PlaceOrder
    change: ChangeOrder
    change_status: ChangeStatus
    delete: DeleteOrder


@dataclass(frozen=True, slots=True)
class NotificationUseCases:
    list: ListNotifications
    read: ReadNotifications
    delete: DeleteNotifications


@dataclass(frozen=True, slots=True)
class PushUseCases:
    """`send` puts a notification before browsers whose pages are closed."""

    public_key: ReadPushKey
    subscribe: SubscribeToPushes
    unsubscribe: UnsubscribeFromPushes
    send: PushNotification


@dataclass(frozen=True, slots=True)
class AnalyticsUseCases:
    overview: SumUp
    orders: CountOrders
    products: CountProducts
    forms: CountForms
    conversations: CountConversations
    revenue: CountRevenue


@dataclass(frozen=True, slots=True)
class ExportUseCases:
    begin: BeginExport
    read: ReadExport


@dataclass(frozen=True, slots=True)
class WebhookUseCases:
    create: CreateWebhook
    list: ListWebhooks
    read: ReadWebhook
    change: ChangeWebhook
    delete: DeleteWebhook
    rotate_secret: RotateSecret
    send_test: SendTest
    deliveries: ListDeliveries
    delivery: ReadDelivery
    replay: ReplayDelivery
    serve: ServeEndpoints


@dataclass(frozen=True, slots=True)
class FileUseCases:
    locate: LocateConversation
    begin: BeginUpload
    receive: ReceiveUpload
    complete: CompleteUpload
    read: ReadFile
    sweep: SweepFiles


@dataclass(frozen=True, slots=True)
class Application:
    identity: IdentityUseCases
    shops: ShopUseCases
    team: TeamUseCases
    platform: PlatformUseCases
    sites: SiteUseCases
    visitor: VisitorUseCases
    rooms: RoomUseCases
    inbox: InboxUseCases
    notifications: NotificationUseCases
    push: PushUseCases
    orders: OrderUseCases
    analytics: AnalyticsUseCases
    exports: ExportUseCases
    catalogue: CatalogueUseCases
    forms: FormUseCases
    storefront: StorefrontUseCases
    files: FileUseCases
    answer: AnswerCustomer
    close_silent: CloseSilent
    tell_customer: TellCustomer
    webhooks: WebhookUseCases
