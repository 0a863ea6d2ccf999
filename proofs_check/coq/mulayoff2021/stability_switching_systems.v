(* Mulayoff, Michaeli and Soudry 2021, section 2.2: stability at minima that are not twice differentiable, around which
   the loss is pieced together from modes (Definition 2, Lemmas 2 and 3; M2, M3).

   Vectors, matrices and batches are those of mulayoff2021/stability.v: any dimension. Any set of modes. *)

From Coq Require Import Reals Lra Lia List.
From ImplicitSmoothness Require Import Sums mulayoff2021.stability.
Import ListNotations.
Open Scope R_scope.

Section Switching.
  Context {A M : Type}.
  Variable coordinates : list A.
  Notation dot := (dot coordinates).
  Notation norm := (norm coordinates).
  Notation step := (step coordinates).
  Notation quadratic := (quadratic coordinates).
  (* The mode that theta* + v lies in, and the equally likely batches of each mode: gradients and Hessians at theta*. *)
  Variable mode : (A -> R) -> M.
  Variable draws : M -> list (@batch A).

  (* E F(v_t) from v_0 = v: every step draws a batch of the mode that v_t is in (eq 13). *)
  Fixpoint switching_expectation (eta : R) (t : nat) (F : (A -> R) -> R) (v : A -> R) : R :=
    match t with
    | O => F v
    | S t => mean (fun b => switching_expectation eta t F (step eta b v)) (draws (mode v))
    end.

  (* Definition 2: from every start within eps, limsup_t E ||v_t|| <= eps; strongly: sup_t E ||v_t|| <= eps. *)
  Definition eps_stable (eps eta : R) : Prop :=
    forall v, norm v <= eps ->
    forall delta, 0 < delta -> exists T, forall t, (T <= t)%nat -> switching_expectation eta t norm v <= eps + delta.
  Definition eps_strongly_stable (eps eta : R) : Prop :=
    forall v, norm v <= eps -> forall t, switching_expectation eta t norm v <= eps.

  Definition mode_hessian (m : M) : A -> A -> R := mean_hessian (draws m).
  (* E |q^T g_m| *)
  Definition gradient_along (q : A -> R) (m : M) : R := mean (fun b => Rabs (dot q (batch_gradient b))) (draws m).

  Lemma switching_le eta t F G v :
    (forall w, F w <= G w) -> switching_expectation eta t F v <= switching_expectation eta t G v.
  Proof.
    intros le. revert v. induction t as [|t IH]; intros v; simpl; [apply le|]. apply mean_le. intros b _. apply IH.
  Qed.

  Lemma dot_apply_mean q v m : dot q (apply coordinates (mode_hessian m) v)
    = mean (fun b => dot q (apply coordinates (batch_hessian b) v)) (draws m).
  Proof.
    unfold stability.dot at 2. rewrite mean_sum_swap. apply sum_eq. intros p _.
    rewrite mean_scal. f_equal. unfold apply. rewrite mean_sum_swap. apply sum_eq. intros r _.
    unfold mode_hessian, mean_hessian, mean, Rdiv. rewrite sum_scal_r. ring.
  Qed.

  (* The expected component along q after one step, in a mode m. *)
  Lemma mean_along eta q v m :
    draws m <> [] ->
    mean (fun b => dot q (step eta b v)) (draws m)
    = dot q v - eta * (mean (fun b => dot q (batch_gradient b)) (draws m)
                       + dot q (apply coordinates (mode_hessian m) v)).
  Proof.
    intros nonempty. rewrite dot_apply_mean.
    rewrite (mean_eq _ (fun b => dot q v
      - eta * (dot q (batch_gradient b) + dot q (apply coordinates (batch_hessian b) v)))).
    - now rewrite mean_minus, mean_const, mean_scal, mean_plus.
    - intros b _. unfold stability.dot. rewrite <- sum_plus, <- sum_scal, <- sum_minus.
      apply sum_eq. intros p _. unfold stability.step. ring.
  Qed.

  Lemma length_along q v : norm q = 1 -> Rabs (dot q v) <= norm v.
  Proof. intros unit. pose proof (dot_norm coordinates q v) as along. rewrite unit in along. lra. Qed.

  Lemma unit_dot q : norm q = 1 -> dot q q = 1.
  Proof. intros unit. rewrite <- norm_sq, unit. ring. Qed.

  Lemma norm_along eps q : norm q = 1 -> 0 <= eps -> norm (fun p => eps * q p) = eps.
  Proof.
    intros unit pos. unfold stability.norm.
    rewrite dot_scal, dot_comm, dot_scal, unit_dot, Rmult_1_r by easy. now apply sqrt_square.
  Qed.

  (* The first step from eps q in the mode that eps q lies in. *)
  Lemma first_step_in_mode (eps eta mu gamma : R) (q : A -> R) :
    let m := mode (fun p => eps * q p) in
    0 < eps -> 0 < eta -> norm q = 1 -> draws m <> [] -> gradient_along q m <= gamma ->
    mu <= quadratic (mode_hessian m) q - 2 / eta - gamma / eps ->
    eps * (1 + eta * mu) <= switching_expectation eta 1 norm (fun p => eps * q p).
  Proof.
    intros m eps_pos eta_pos unit nonempty slopes sharp. simpl. fold m.
    set (v := fun p => eps * q p) in *.
    apply Rle_trans with (mean (fun b => Rabs (dot q (step eta b v))) (draws m)).
    2: { apply mean_le. intros b _. now apply length_along. }
    eapply Rle_trans; [|apply mean_abs]. rewrite mean_along by easy.
    set (g := mean (fun b => dot q (batch_gradient b)) (draws m)).
    assert (- gamma <= g) as g_low.
    { pose proof (mean_abs (fun b => dot q (batch_gradient b)) (draws m)) as abs. fold g in abs.
      unfold gradient_along in slopes. pose proof (Rle_abs (- g)) as below. rewrite Rabs_Ropp in below. lra. }
    assert (dot q v = eps) as -> by (unfold v; rewrite dot_scal, unit_dot by easy; ring).
    assert (dot q (apply coordinates (mode_hessian m) v) = eps * quadratic (mode_hessian m) q) as ->.
    { unfold stability.quadratic. rewrite <- dot_scal. apply sum_eq. intros p _. f_equal.
      unfold apply, v. rewrite <- sum_scal. apply sum_eq. intros. ring. }
    set (r := quadratic (mode_hessian m) q) in *.
    assert (gamma + eps * (mu + 2 / eta) <= eps * r).
    { replace gamma with (eps * (gamma / eps)) by (field; lra). nra. }
    assert (eta * (eps * (mu + 2 / eta)) <= eta * (g + eps * r)) by (apply Rmult_le_compat_l; lra).
    replace (eta * (eps * (mu + 2 / eta))) with (eps * (1 + eta * mu) + eps) in * by (field; lra).
    pose proof (Rle_abs (- (eps - eta * (g + eps * r)))) as below. rewrite Rabs_Ropp in below. lra.
  Qed.

  (* Lemma 2 sharpened (M2.a): with mu = min_m q^T H_m q - 2/eta - gamma/eps > 0, one step from eps q makes the expected
     distance at least eps (1 + eta mu). *)
  Theorem first_step_lengthens (eps eta mu gamma : R) (q : A -> R) :
    0 < eps -> 0 < eta -> norm q = 1 -> (forall m, draws m <> []) -> (forall m, gradient_along q m <= gamma) ->
    (forall m, mu <= quadratic (mode_hessian m) q - 2 / eta - gamma / eps) ->
    eps * (1 + eta * mu) <= switching_expectation eta 1 norm (fun p => eps * q p).
  Proof. intros. now apply (first_step_in_mode eps eta mu gamma). Qed.

  (* So theta* is not eps strongly stable (M2.a). *)
  Theorem steep_direction_not_strongly_stable (eps eta mu gamma : R) (q : A -> R) :
    0 < eps -> 0 < eta -> norm q = 1 -> (forall m, draws m <> []) -> (forall m, gradient_along q m <= gamma) ->
    (forall m, mu <= quadratic (mode_hessian m) q - 2 / eta - gamma / eps) -> 0 < mu ->
    ~ eps_strongly_stable eps eta.
  Proof.
    intros eps_pos eta_pos unit nonempty slopes steep mu_pos stable.
    pose proof (first_step_lengthens eps eta mu gamma q eps_pos eta_pos unit nonempty slopes steep) as longer.
    specialize (stable (fun p => eps * q p)). rewrite norm_along in stable by (easy || lra).
    specialize (stable (Rle_refl eps) 1%nat). assert (0 < eta * mu) by now apply Rmult_lt_0_compat. nra.
  Qed.

  (* Hence strong stability with vanishing gradients keeps v^T H_m v at 2/eta at most, m the mode of a multiple of v. *)
  Lemma strongly_stable_curvature (eps eta : R) (v : A -> R) :
    let m := mode (fun p => eps * (/ norm v * v p)) in
    0 < eps -> 0 < eta -> 0 < norm v -> draws m <> [] ->
    (forall b p, In b (draws m) -> batch_gradient b p = 0) ->
    eps_strongly_stable eps eta -> quadratic (mode_hessian m) v <= 2 / eta * dot v v.
  Proof.
    intros m eps_pos eta_pos long nonempty still stable. set (q := fun p => / norm v * v p) in *.
    assert (norm q = 1) as unit.
    { unfold stability.norm at 1. unfold q. rewrite dot_scal, dot_comm, dot_scal, <- norm_sq.
      replace (/ norm v * (/ norm v * (norm v * norm v))) with 1 by (field; lra). apply sqrt_1. }
    assert (gradient_along q m <= 0) as slopes.
    { unfold gradient_along. rewrite (mean_eq _ (fun _ => 0)).
      - rewrite mean_const by easy. lra.
      - intros b Hb. replace (dot q (batch_gradient b)) with 0; [apply Rabs_R0|].
        symmetry. apply sum_zero. intros p _. rewrite (still b p Hb). ring. }
    assert (quadratic (mode_hessian m) v = norm v * norm v * quadratic (mode_hessian m) q) as scaled.
    { unfold stability.quadratic, q.
      rewrite (dot_comm coordinates (fun p => / norm v * v p)), dot_scal, (dot_comm coordinates _ v).
      replace (dot v (apply coordinates (mode_hessian m) (fun p => / norm v * v p)))
        with (/ norm v * dot v (apply coordinates (mode_hessian m) v)); [field; lra|].
      rewrite <- dot_scal. apply sum_eq. intros p _. f_equal. unfold apply. rewrite <- sum_scal. apply sum_eq.
      intros. ring. }
    pose proof (first_step_in_mode eps eta (quadratic (mode_hessian m) q - 2 / eta) 0 q eps_pos eta_pos unit
      nonempty slopes) as longer.
    specialize (longer ltac:(unfold q; fold m; lra)).
    specialize (stable (fun p => eps * q p)). rewrite norm_along in stable by (easy || lra).
    specialize (stable (Rle_refl eps) 1%nat).
    assert (eta * (quadratic (mode_hessian m) q - 2 / eta) <= 0) as flat by nra.
    assert (quadratic (mode_hessian m) q <= 2 / eta) by nra.
    rewrite scaled, <- norm_sq, Rmult_comm. apply Rmult_le_compat_r; nra.
  Qed.

  (* mulayoff2021, Lemma 2, eqs 14-15 (M2): "||H_m q - lambda_m q|| <= delta for all m, lambda_lower = min_m lambda_m,
     gamma = max_m E |q^T g_m|. If lambda_lower > 2/eta + delta + gamma/eps then theta* is not eps strongly stable". *)
  Theorem common_direction_not_strongly_stable (eps eta delta gamma lower : R) (lambda : M -> R) (q : A -> R) :
    0 < eps -> 0 < eta -> norm q = 1 -> (forall m, draws m <> []) -> (forall m, gradient_along q m <= gamma) ->
    (forall m, norm (fun p => apply coordinates (mode_hessian m) q p - lambda m * q p) <= delta) ->
    (forall m, lower <= lambda m) -> 2 / eta + delta + gamma / eps < lower ->
    ~ eps_strongly_stable eps eta.
  Proof.
    intros eps_pos eta_pos unit nonempty slopes near low sharp stable.
    set (mu := lower - delta - 2 / eta - gamma / eps).
    assert (eps * (1 + eta * mu) <= switching_expectation eta 1 norm (fun p => eps * q p)) as longer.
    { apply (first_step_lengthens eps eta mu gamma); try easy. intros m.
      specialize (near m). specialize (low m).
      pose proof (length_along q (fun p => apply coordinates (mode_hessian m) q p - lambda m * q p) unit) as along.
      replace (dot q (fun p => apply coordinates (mode_hessian m) q p - lambda m * q p))
        with (quadratic (mode_hessian m) q - lambda m * dot q q) in along.
      2: { unfold stability.quadratic, stability.dot.
           rewrite <- sum_scal, <- sum_minus. apply sum_eq. intros. ring. }
      rewrite unit_dot in along by easy. pose proof (Rle_abs (- (quadratic (mode_hessian m) q - lambda m * 1)))
        as below.
      rewrite Rabs_Ropp in below. unfold mu. lra. }
    specialize (stable (fun p => eps * q p)). rewrite norm_along in stable by (easy || lra).
    specialize (stable (Rle_refl eps) 1%nat). assert (0 < eta * mu) by (apply Rmult_lt_0_compat; unfold mu; lra). nra.
  Qed.

  (* Lemma 2, its last sentence: "if delta = 0 (q is a common eigenvector) then theta* is not an eps stable minimum". *)
  Theorem common_eigenvector_not_stable (eps eta gamma lower : R) (lambda : M -> R) (q : A -> R) :
    0 < eps -> 0 < eta -> norm q = 1 -> (forall m, draws m <> []) -> (forall m, gradient_along q m <= gamma) ->
    (forall m, symmetric coordinates (mode_hessian m)) ->
    (forall m p, In p coordinates -> apply coordinates (mode_hessian m) q p = lambda m * q p) ->
    (forall m, lower <= lambda m) -> 2 / eta + gamma / eps < lower ->
    ~ eps_stable eps eta.
  Proof.
    intros eps_pos eta_pos unit nonempty slopes sym eigen low sharp stable.
    assert (0 <= gamma) as gamma_pos.
    { eapply Rle_trans; [|apply (slopes (mode q))]. apply mean_nonneg; [easy|]. intros. apply Rabs_pos. }
    set (c := eta * lower - 1).
    assert (eta * gamma < eps * (c - 1)) as above.
    { unfold c. assert (eps * eta * (2 / eta + gamma / eps) < eps * eta * lower) by (apply Rmult_lt_compat_l; nra).
      replace (eps * eta * (2 / eta + gamma / eps)) with (2 * eps + eta * gamma) in * by (field; lra). nra. }
    assert (1 < c) as c_big by (assert (0 <= eta * gamma) by nra; nra).
    set (rest := eta * gamma / (c - 1)).
    assert (c * rest = rest + eta * gamma) as fixed by (unfold rest; field; lra).
    assert (rest < eps) as inside.
    { unfold rest. apply (Rmult_lt_reg_r (c - 1)); [lra|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l; lra. }
    (* one step in any mode *)
    assert (forall v, c * Rabs (dot q v) - eta * gamma <= mean (fun b => Rabs (dot q (step eta b v)))
      (draws (mode v))) as one.
    { intros v. set (m := mode v). eapply Rle_trans; [|apply mean_abs]. rewrite mean_along by easy.
      assert (dot q (apply coordinates (mode_hessian m) v) = lambda m * dot q v) as ->.
      { rewrite apply_symmetric by easy. unfold stability.dot. rewrite <- sum_scal.
        apply sum_eq. intros p Hp. rewrite eigen by easy. ring. }
      pose proof (mean_abs (fun b => dot q (batch_gradient b)) (draws m)) as g_small. specialize (slopes m).
      unfold gradient_along in slopes. set (g := mean (fun b => dot q (batch_gradient b)) (draws m)) in *.
      set (x := dot q v). specialize (low m).
      assert (eta * lower <= eta * lambda m) as factor by (apply Rmult_le_compat_l; lra).
      pose proof (Rabs_triang_inv ((1 - eta * lambda m) * x) (eta * g)) as tri.
      replace (x - eta * (g + lambda m * x)) with ((1 - eta * lambda m) * x - eta * g) by ring.
      rewrite !Rabs_mult, (Rabs_pos_eq eta), (Rabs_left1 (1 - eta * lambda m)) in tri by (unfold c in *; lra).
      pose proof (Rabs_pos x). assert (eta * Rabs g <= eta * gamma) by (apply Rmult_le_compat_l; lra).
      assert (c * Rabs x <= - (1 - eta * lambda m) * Rabs x) by (apply Rmult_le_compat_r; unfold c; lra). lra. }
    (* and t steps *)
    assert (forall t v, c ^ t * (Rabs (dot q v) - rest) + rest <= switching_expectation eta t
      (fun w => Rabs (dot q w)) v) as many.
    { intros t. induction t as [|t IH]; intros v; simpl; [lra|].
      apply Rle_trans with (mean (fun b => c ^ t * (Rabs (dot q (step eta b v)) - rest) + rest) (draws (mode v))).
      2: { apply mean_le. intros b _. apply IH. }
      rewrite mean_plus, mean_const, mean_scal, mean_minus, mean_const by easy. specialize (one v).
      assert (0 < c ^ t) by (apply pow_lt; lra).
      assert (c ^ t * (c * Rabs (dot q v) - eta * gamma - rest)
        <= c ^ t * (mean (fun b => Rabs (dot q (step eta b v))) (draws (mode v)) - rest))
          by (apply Rmult_le_compat_l; lra).
      replace (c * c ^ t * (Rabs (dot q v) - rest)) with (c ^ t * (c * Rabs (dot q v) - c * rest)) by ring.
      rewrite fixed. lra. }
    set (start := fun p => eps * q p).
    assert (norm start <= eps) as within by (unfold start; rewrite norm_along by (easy || lra); lra).
    destruct (stable start within 1 Rlt_0_1) as [T bounded].
    destruct (powers_unbounded c ((eps + 1) / (eps - rest)) T c_big) as [k [late large]].
    specialize (bounded _ late). specialize (many (2 ^ k)%nat start).
    assert (Rabs (dot q start) = eps) as along.
    { unfold start. rewrite dot_scal, unit_dot, Rmult_1_r by easy. apply Rabs_pos_eq. lra. }
    rewrite along in many.
    assert (switching_expectation eta (2 ^ k) (fun w => Rabs (dot q w)) start
      <= switching_expectation eta (2 ^ k) norm start)
      by (apply switching_le; intros; now apply length_along).
    assert (eps + 1 < c ^ 2 ^ k * (eps - rest)).
    { replace (eps + 1) with ((eps + 1) / (eps - rest) * (eps - rest)) by (field; lra). apply Rmult_lt_compat_r; lra. }
    assert (0 <= rest) by (unfold rest; apply Rmult_le_pos; [nra|apply Rlt_le, Rinv_0_lt_compat; lra]). lra.
  Qed.
End Switching.

(* Gradient descent: each mode has the one batch of all samples, whose gradient vanishes. *)
Section Descent.
  Context {A M : Type}.
  Variable coordinates : list A.
  Variable mode : (A -> R) -> M.
  Variable hessian : M -> A -> A -> R.

  Definition descent_draws (m : M) : list (@batch A) := [full_batch (hessian m)].
  Definition switching_step (eta : R) (v : A -> R) : A -> R := descent_step coordinates eta (hessian (mode v)) v.
  Fixpoint trajectory (eta : R) (t : nat) (v : A -> R) : A -> R :=
    match t with O => v | S t => trajectory eta t (switching_step eta v) end.

  Lemma full_batch_step eta m v : step coordinates eta (full_batch (hessian m)) v
    = descent_step coordinates eta (hessian m) v.
  Proof.
    apply FunctionalExtensionality.functional_extensionality. intros p. unfold step, descent_step. simpl. ring.
  Qed.

  Lemma switching_trajectory eta t F v :
    switching_expectation coordinates mode descent_draws eta t F v = F (trajectory eta t v).
  Proof.
    revert v. induction t as [|t IH]; intros v; simpl; [reflexivity|].
    unfold mean. simpl. rewrite IH, full_batch_step. unfold switching_step. field.
  Qed.

  (* mulayoff2021, Lemma 3, repaired (M3.a): all mode gradients zero and 0 <= H_m <= 2/eta for all modes imply strong
     stability under gradient descent, from any distance and however the modes alternate. *)
  Theorem flat_modes_strongly_stable (eps eta : R) :
    0 < eta -> (forall m, symmetric coordinates (hessian m)) ->
    (forall m, positive_semidefinite coordinates (hessian m)) ->
    (forall m, lambda_max_at_most coordinates (2 / eta) (hessian m)) ->
    eps_strongly_stable coordinates mode descent_draws eps eta.
  Proof.
    intros eta_pos sym psd flat v start t. rewrite switching_trajectory. eapply Rle_trans; [|exact start].
    clear start. revert v. induction t as [|t IH]; intros v; simpl; [lra|].
    eapply Rle_trans; [apply IH|]. now apply step_contracts.
  Qed.
End Descent.

(* mulayoff2021, Lemma 3, eqs 16-17 (M3): "max_m lambda_max(H_m) <= 2/eta => strongly stable" is false as printed. Two
   modes in the plane, |v_2| <= |v_1| or not; the loss (a v_1^2 - b v_2^2)/2 in the one and mirrored in the other, a = 1
   and b = 1/2, is continuous with a strict minimum at 0; eta = 1. *)

Definition plane : list nat := [0%nat; 1%nat].
Definition lies (v : nat -> R) : bool := if Rle_dec (Rabs (v 1%nat)) (Rabs (v 0%nat)) then true else false.
Definition wedge (lying : bool) (p q : nat) : R :=
  if Nat.eqb p q then (if Bool.eqb lying (Nat.eqb p 0) then 1 else - 1 / 2) else 0.

Lemma wedge_quadratic lying v :
  quadratic plane (wedge lying) v
  = if lying then v 0%nat * v 0%nat - v 1%nat * v 1%nat / 2 else v 1%nat * v 1%nat - v 0%nat * v 0%nat / 2.
Proof. unfold quadratic, dot, apply, wedge, plane. destruct lying; simpl; field. Qed.

Theorem printed_lemma_3_fails :
  let eta := 1 in
  (forall m, symmetric plane (wedge m) /\ lambda_max_at_most plane (2 / eta) (wedge m))
  (* continuous where the modes meet, and a strict minimum *)
  /\ (forall v, Rabs (v 0%nat) = Rabs (v 1%nat) -> quadratic plane (wedge true) v = quadratic plane (wedge false) v)
  /\ (forall v, (v 0%nat <> 0 \/ v 1%nat <> 0) -> 0 < quadratic plane (wedge (lies v)) v)
  /\ forall eps, 0 < eps -> ~ eps_strongly_stable plane lies (descent_draws wedge) eps eta.
Proof.
  intros eta. assert (forall a b, Rabs a <= Rabs b -> a * a <= b * b) as squares.
  { intros a b le. pose proof (Rabs_pos a).
    replace (a * a) with (Rabs a * Rabs a) by (rewrite <- Rabs_mult; apply Rabs_pos_eq; nra).
    replace (b * b) with (Rabs b * Rabs b) by (rewrite <- Rabs_mult; apply Rabs_pos_eq; nra). nra. }
  split; [|split; [|split]].
  - intros m. split.
    + intros p q _ _. unfold wedge. rewrite (Nat.eqb_sym q p). destruct (Nat.eqb_spec p q) as [->|]; reflexivity.
    + intros v. rewrite wedge_quadratic. unfold dot, plane, eta. simpl. destruct m; nra.
  - intros v same. rewrite !wedge_quadratic. pose proof (squares (v 0%nat) (v 1%nat)).
    pose proof (squares (v 1%nat) (v 0%nat)). lra.
  - intros v nonzero. rewrite wedge_quadratic. unfold lies.
    destruct (Rle_dec (Rabs (v 1%nat)) (Rabs (v 0%nat))) as [le|gt].
    + apply squares in le. destruct (Req_dec (v 0%nat) 0) as [zero|]; [|nra]. rewrite zero in le. destruct nonzero; nra.
    + assert (Rabs (v 0%nat) <= Rabs (v 1%nat)) as le by lra. apply squares in le.
      destruct (Req_dec (v 1%nat) 0) as [zero|]; [|nra]. rewrite zero in le. destruct nonzero; nra.
  - intros eps eps_pos stable. set (start := fun _ : nat => 7 / 10 * eps).
    assert (norm plane start <= eps) as within.
    { unfold norm. rewrite <- (sqrt_square eps) by lra. apply sqrt_le_1_alt. unfold dot, plane, start. simpl. nra. }
    specialize (stable start within 1%nat). rewrite switching_trajectory in stable. simpl in stable.
    unfold switching_step, lies in stable.
    destruct (Rle_dec (Rabs (start 1%nat)) (Rabs (start 0%nat))) as [_|no]; [|apply no; unfold start; lra].
    assert (eps < norm plane (descent_step plane eta (wedge true) start)); [|lra].
    unfold norm. rewrite <- (sqrt_square eps) at 1 by lra. apply sqrt_lt_1_alt. split; [nra|].
    unfold dot, descent_step, apply, wedge, plane, start, eta. simpl. nra.
Qed.
